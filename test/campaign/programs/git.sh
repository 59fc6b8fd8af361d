export HOME=$PWD GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git config --global user.email a@example.org
git config --global user.name Name
git config --global init.defaultBranch main
git init -q one && cd one
echo a > a && git add a && git commit -qm one
echo b >> a && git diff --stat && git commit -qam two
git checkout -qb branch HEAD~1
echo c > c && git add . && git commit -qm three
git merge -q main -m merge
git log --graph --oneline
git status -s
git gc -q && git fsck
cd .. && git clone -q one two && cd two
git log -1 --format=%H && git tag -a v1 -m v1 && git describe
git grep -n b && git archive HEAD | tar t
for i in $(seq 1 30); do echo $i > f$i; done
git add . && git commit -qm many && git repack -adq && git rev-list --count HEAD
git bundle create -q all HEAD && git bundle verify -q all && echo bundle
