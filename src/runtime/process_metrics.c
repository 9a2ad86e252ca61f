/*
 * process_* metrics from /proc/self and getrusage, and what was built how. What cannot be read keeps its last value.
 */
#include "runtime/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

struct process_metrics {
	struct metric *cpu;
	struct metric *resident;
	struct metric *virtual_size;
	struct metric *open_fds;
	double cpu_before;
};

static double cpu_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* /proc/self/statm: total and resident size in pages (proc(5)). */
static void read_sizes(struct process_metrics *p)
{
	char line[128];
	FILE *file = fopen("/proc/self/statm", "re");
	auto_strv fields = { 0 };
	int64_t pages = 0;
	double page = (double)sysconf(_SC_PAGESIZE);

	if (!file)
		return;
	if (fgets(line, sizeof(line), file))
		strv_split(&fields, line, ' ');
	fclose(file);
	if (fields.len < 2)
		return;
	if (text_i64(fields.items[0], &pages))
		metric_set(p->virtual_size, NULL, (double)pages * page);
	if (text_i64(fields.items[1], &pages))
		metric_set(p->resident, NULL, (double)pages * page);
}

static void read_fds(struct process_metrics *p)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* ".", ".." and the directory's own */

	if (!dir)
		return;
	while (readdir(dir))
		count++;
	closedir(dir);
	metric_set(p->open_fds, NULL, count);
}

static void collect(void *arg)
{
	struct process_metrics *p = arg;
	double cpu = cpu_seconds();

	metric_add(p->cpu, NULL, cpu - p->cpu_before);
	p->cpu_before = cpu;
	read_sizes(p);
	read_fds(p);
}

struct process_metrics *process_metrics_new(struct metrics *m, int64_t started_wall_ms)
{
	struct process_metrics *p = xcalloc(1, sizeof(*p));
	struct rlimit files = { 0 };

	p->cpu = metrics_family(m, METRIC_COUNTER, "process_cpu_seconds_total", "CPU time of user and system", NULL,
				NULL, 0);
	p->resident =
	    metrics_family(m, METRIC_GAUGE, "process_resident_memory_bytes", "Resident memory", NULL, NULL, 0);
	p->virtual_size =
	    metrics_family(m, METRIC_GAUGE, "process_virtual_memory_bytes", "Virtual memory", NULL, NULL, 0);
	p->open_fds = metrics_family(m, METRIC_GAUGE, "process_open_fds", "Open file descriptors", NULL, NULL, 0);
	metric_set(metrics_family(m, METRIC_GAUGE, "process_start_time_seconds", "Start of the process, Unix time",
				  NULL, NULL, 0),
		   NULL, (double)started_wall_ms / 1000);
	getrlimit(RLIMIT_NOFILE, &files);
	metric_set(metrics_family(m, METRIC_GAUGE, "process_max_fds", "Limit of open file descriptors", NULL, NULL, 0),
		   NULL, (double)files.rlim_cur);
	metrics_on_collect(m, collect, p);
	return p;
}

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void process_metrics_build_info(struct metrics *m, const char *version, const char *revision)
{
	static const char *const labels[] = { "version", "revision", "compiler", "architecture", NULL };
	const char *values[] = { version, revision, COMPILER, "unknown" };
	struct utsname machine;

	if (uname(&machine) == 0)
		values[3] = machine.machine;
	metric_set(
	    metrics_family(m, METRIC_GAUGE, "spark_operator_build_info", "What this is, always 1", labels, NULL, 0),
	    values, 1);
}

void process_metrics_free(struct process_metrics *p)
{
	free(p);
}
