echo a b c | tr ' ' '\n' | sort -r | sed 's/^/x/' | paste -sd,
( echo sub; exit 3 ); echo rc=$?
cat <<EOF | wc
here
doc $((1+2))
EOF
trap 'echo trapped' USR1; kill -USR1 $$; echo after
trap 'echo bye' EXIT
f() { local x=$1; [ $x -le 1 ] && echo 1 || echo $((x * $(f $((x-1))))); }
f 6
for i in 1 2 3; do sleep 0.05 & done; wait; echo waited
(sleep 5 & p=$!; kill $p; wait $p; echo st=$?)
diff <(seq 1 10) <(seq 2 11)
coproc cat; echo hi >&${COPROC[1]}; read -u ${COPROC[0]} l; echo got $l; kill $COPROC_PID; wait 2>/dev/null
set -o pipefail; false | true; echo pf=$?
mkfifo ff; (echo viafifo > ff) & cat ff; wait
exec 3>out.txt; echo three >&3; exec 3>&-; cat out.txt
ls -l out.txt | cut -c1-10
test -t 0 && echo tty || echo notty
printf '%s\n' {a..e}{1..3} | xargs -n5 echo
find . -name 'out*' -exec echo found {} \;
seq 100000 | awk '{s+=$1} END {print s}'
seq 1000 | xargs -P4 -n100 sh -c 'echo $#' | sort | uniq -c
timeout 0.2 sleep 5; echo to=$?
yes | head -3
dd if=/dev/zero bs=1M count=3 2>/dev/null | md5sum
