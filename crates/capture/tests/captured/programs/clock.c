// Prints what each way of asking says of the wall clock, whether the others moved with it, and how
// long waits until a time of day take. With an argument: only the time.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static struct timespec in_200_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += 200000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void took(const char *what, long since) {
    long passed = milliseconds() - since;
    printf("%s %s\n", what, passed >= 195 && passed < 5000 ? "waited" : "did not wait");
}

static void *in_a_thread(void *unused) {
    (void)unused;
    printf("thread %ld\n", (long)time(NULL));
    return NULL;
}

int main(void) {
    struct timespec at, coarse, tai, raw;
    struct timeval day, raw_day;
    clock_gettime(CLOCK_REALTIME, &at);
    clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
    clock_gettime(CLOCK_TAI, &tai);
    gettimeofday(&day, NULL);
    printf("gettime %ld\ncoarse %ld\n", (long)at.tv_sec, (long)coarse.tv_sec);
    printf("timeofday %ld\ntime %ld\n", (long)day.tv_sec, (long)time(NULL));
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw);
    syscall(SYS_gettimeofday, &raw_day, NULL);
    printf("raw gettime %ld\nraw timeofday %ld\n", (long)raw.tv_sec, (long)raw_day.tv_sec);
    printf("raw time %ld\n", (long)syscall(SYS_time, NULL));
    long bad = syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8);
    printf("bad %ld %d\n", bad, errno);
    pthread_t thread;
    pthread_create(&thread, NULL, in_a_thread, NULL);
    pthread_join(thread, NULL);

    struct timespec uptime;
    clock_gettime(CLOCK_BOOTTIME, &uptime);
    printf("boot %s\n", uptime.tv_sec < 400000000 ? "real" : "moved");

    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    long since = milliseconds();
    struct timespec until = in_200_ms();
    while (pthread_cond_timedwait(&condition, &mutex, &until) != ETIMEDOUT) {}
    took("condition", since);

    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    since = milliseconds();
    until = in_200_ms();
    while (sem_timedwait(&semaphore, &until) != -1 || errno != ETIMEDOUT) {}
    took("semaphore", since);

    since = milliseconds();
    until = in_200_ms();
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
    took("sleep", since);

    int timer = timerfd_create(CLOCK_REALTIME, 0);
    struct itimerspec once = {.it_value = in_200_ms()};
    uint64_t count;
    since = milliseconds();
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &once, NULL);
    if (read(timer, &count, sizeof count) < 0) return 1;
    took("timer", since);
    return 0;
}
