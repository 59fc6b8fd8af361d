seq 1 200000 > data
for with in "gzip -9" bzip2 "xz -T4 --block-size=200KiB" "zstd -q -T3"; do
  $with -k -c data > packed
  ${with%% *} -dc < packed | cmp - data && echo "$with"
done
mkdir -p tree/a/b
cp data tree/a/
ln -s data tree/a/link
ln tree/a/data tree/a/b/hard
for kind in "" z j J; do
  tar c${kind}f tree.tar$kind tree
  rm -rf out && mkdir out
  tar x${kind}f tree.tar$kind -C out
  diff -r tree out/tree && stat -c %h out/tree/a/data && readlink out/tree/a/link
done
tar tvf tree.tar | awk '{print $1, $NF}' | sort
tar cf - tree | (cd out && tar xf - && find . | sort)
xz -T0 -k data && xz -t data.xz && xz -l data.xz | tail -1 | awk '{print $2}'
