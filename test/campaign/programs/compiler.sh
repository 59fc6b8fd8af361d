cat > hello.c <<'C'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
static void *twice(void *a) { return (void *)((long)a * 2); }
int main(int argc, char **argv) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, twice, (void *)21L);
  pthread_join(thread, &result);
  printf("hello %ld %.3f\n", (long)result, sqrt(argc + 1.0));
  return 0;
}
C
gcc -O2 -o hello hello.c -lm && ./hello
gcc -static -O0 -g -o static hello.c -lm && ./static
gcc -c hello.c && nm hello.o | grep -c ' T main'
ar rcs lib.a hello.o && ar t lib.a
strip hello && ./hello
echo 'int main() { return x; }' | gcc -xc - 2>/dev/null
echo $?
