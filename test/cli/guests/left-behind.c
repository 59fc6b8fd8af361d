/* Ends with status 7 and leaves a child behind that prints, waits for nothing, has become a daemon, or waits for ever. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
	const char *what = argc > 1 ? argv[1] : "";
	if (fork() != 0) {
		puts("first");
		return 7;
	}
	if (strcmp(what, "prints") == 0) {
		sleep(1);
		printf("later, child of %d\n", getppid());
		return 3;
	}
	if (strcmp(what, "daemon") == 0) {
		int null = open("/dev/null", O_RDWR);
		setsid();
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		for (;;)
			sleep(1);
	}
	if (strcmp(what, "sleeps") == 0) {
		while (getppid() != 1)
			usleep(1000);
		puts("sleeping");
		fflush(stdout);
		for (;;)
			sleep(100);
	}
	pause();
	return 0;
}
