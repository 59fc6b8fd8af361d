seq 1 5000 > n
sed -n '/00$/p' n | head -5
grep -c 7 n
grep -E '^(12|34)5.$' n | wc -l
grep -P '\d{4}$' n | tail -1
mawk '{s += $1 * 1.5} END {print s, substr("abcdef", 2, 3), toupper("x")}' n
sort -R n | sort -n | md5sum
sort --parallel=2 -S 1M n | tail -1
split -n 3 n part && cat part* | cmp - n && echo same
join <(sort n) <(sort n | head -20) | wc -l
comm -12 <(sort n) <(seq 3 9 | sort) | tr '\n' ' '
od -c n | head -2
base64 n | base64 -d | cmp - n && sha256sum n && sha512sum n && b2sum n && cksum n
factor 1234567890123
date -u -d '2020-02-29 +1 year'
numfmt --to=iec 123456789
fmt -w 30 <<< "the quick brown fox jumps over the lazy dog"
csplit -s n 100 && wc -l xx*
touch -d 2001-01-01 n && stat -c '%s %y' n
ln -s n l && readlink -f l | sed 's,.*/,,'
truncate -s 1G big && ls -s big && cp --sparse=always big twin && cmp big twin && echo equal
diff -u <(seq 3) <(seq 2 4) | tail -n +3
