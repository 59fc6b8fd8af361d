set -m
sleep 100 &
jobs
kill -STOP %1; sleep 0.2; jobs
kill -CONT %1; sleep 0.1; jobs
kill %1; wait %1; echo $?
(trap 'echo int; exit 5' INT; kill -INT $BASHPID; sleep 1; echo no); echo $?
bash -c 'kill -9 $$'; echo $?
bash -c 'exec sleep 3' & sleep 0.1; kill -HUP $!; wait $!; echo $?
disown -a; echo done
for s in INT TERM QUIT HUP; do sh -c "kill -$s \$\$" ; echo $s $?; done 
