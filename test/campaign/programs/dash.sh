dash -c 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo $i'
dash -c 'set -- a b c; for x; do echo $x; done; eval "echo \$$#"; case abc in a*) echo m;; esac'
dash -c 'trap "echo t" TERM; kill -TERM $$; echo e'
dash -c 'x=$(echo sub | dash -c "cat; echo more"); echo "$x"'
dash -c 'cat <<"E" | while read l; do echo "[$l]"; done
one
two
E'
dash -c '(exit 7) || echo $?; ! true; echo $?; { echo grp; } 2>&1 >/dev/null; echo "$(true; echo $?)"'
dash -c 'sleep 0.1 & wait $!; echo $?; kill -l | head -3 >/dev/null; umask; times >/dev/null'
