/*
 * Runs spark-submit once and records what it sends to the API server.
 *
 * Happy path: a private folder gets the command's files, a fake API server starts, spark-submit runs as a child and
 * exits with 0, and the requests that the fake API server has received are returned.
 *
 * The child sees nothing of the user's Spark, Hadoop and Kubernetes settings and no proxy: HOME is the private folder,
 * its SPARK_CONF_DIR is empty, the user is spark. What it prints goes to a file in the folder, which is removed at the
 * end.
 *
 * Failure modes: no such program, a folder that cannot be made, no answer within RUN_MAX_MS, SIGINT or SIGTERM (the
 * child is killed), and an end that is neither success nor an exception of Spark's own, such as a missing Java.
 */
#include "submit_run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "submit_server.h"

enum { RUN_MAX_MS = 300000, OUTPUT_MAX = 1 << 20, TAIL_MAX = 800, OPEN_DIRS = 16 };

struct run {
	struct loop loop;
	struct submit_server *server;
	uv_process_t process;
	struct sched_timer deadline;
	struct loop_signal *signals[2];
	const char *stopped; /* why the child was killed; NULL: it was not */
	int64_t status;
	int signum;
};

/* Beginnings of names that would change what spark-submit does. */
static const char *const hidden[] = {
	"SPARK", "HADOOP", "PYSPARK",	  "YARN",	  "KUBE",	"JAVA_TOOL",
	"_JAVA", "HOME=",  "HTTP_PROXY=", "HTTPS_PROXY=", "ALL_PROXY=", "NO_PROXY=",
};

static bool is_hidden(const char *entry)
{
	for (size_t i = 0; i < array_len(hidden); i++)
		if (!strncasecmp(entry, hidden[i], strlen(hidden[i])))
			return true;
	return false;
}

static void make_env(struct strv *env, const char *spark_home, const char *folder)
{
	for (char **entry = environ; *entry; entry++)
		if (!is_hidden(*entry))
			strv_add(env, *entry);
	strv_addf(env, "SPARK_HOME=%s", spark_home);
	strv_addf(env, "SPARK_CONF_DIR=%s/conf", folder);
	strv_addf(env, "HOME=%s", folder);
	strv_add(env, "HADOOP_USER_NAME=spark");
	strv_add(env, "SPARK_LOCAL_IP=127.0.0.1");
}

/* {dir} stands only in the paths of templates. */
static void make_args(struct strv *args, const char *program, int port, const struct json *command, const char *folder)
{
	static const char mark[] = "podTemplateFile={dir}/";

	strv_add(args, program);
	strv_add(args, "--deploy-mode");
	strv_add(args, "cluster");
	strv_add(args, "--master");
	strv_addf(args, "k8s://http://127.0.0.1:%d", port);
	strv_add(args, "--conf");
	strv_add(args, "spark.kubernetes.submission.waitAppCompletion=false");
	json_each (arg, json_get(command, "args")) {
		const char *text = json_text(arg, ""), *at = text_starts(text, "spark.") ? strstr(text, mark) : NULL;

		if (at)
			strv_addf(args, "%.*spodTemplateFile=%s/%s", (int)(at - text), text, folder, at + strlen(mark));
		else
			strv_add(args, text);
	}
}

/* ---- folder ---- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

static void remove_folder(char **folder)
{
	if (*folder)
		nftw(*folder, remove_entry, OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
	free(*folder);
}
#define auto_folder __attribute__((cleanup(remove_folder))) char

static int write_file(const char *path, const char *text, struct err *err)
{
	FILE *file = fopen(path, "wxe");
	bool good = file && fputs(text, file) >= 0;

	if (file && fclose(file) != 0)
		good = false;
	return good ? 0 : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* Owned; NULL + *err. */
static char *make_folder(const struct json *command, struct err *err)
{
	const char *parent = getenv("TMPDIR");
	auto_free char *path = xasprintf("%s/spark-operator-diff.XXXXXX", text_empty(parent) ? "/tmp" : parent);
	auto_folder *folder = NULL;
	auto_free char *conf = NULL;

	if (!mkdtemp(path)) {
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
		return NULL;
	}
	folder = take_ptr(path);
	conf = xasprintf("%s/conf", folder);
	if (mkdir(conf, 0700) < 0) {
		err_set(err, ERR_IO, "%s: %s", conf, strerror(errno));
		return NULL;
	}
	json_each (file, json_get(command, "files")) {
		auto_free char *name = xasprintf("%s/%s", folder, json_name(file));

		if (write_file(name, json_text(file, ""), err) < 0)
			return NULL;
	}
	return take_ptr(folder);
}

/* ---- the child ---- */

static void on_exit_status(uv_process_t *process, int64_t status, int signum)
{
	struct run *run = container_of(process, struct run, process);

	run->status = status;
	run->signum = signum;
	loop_stop(&run->loop);
}

static void stop_child(struct run *run, const char *why)
{
	run->stopped = why;
	uv_process_kill(&run->process, SIGKILL);
}

static void on_deadline(void *arg)
{
	stop_child(arg, "no end within 5 minutes");
}

static void on_signal(void *arg, int signum)
{
	(void)signum;
	stop_child(arg, "interrupted");
}

static int spawn_child(struct run *run, const struct strv *args, const struct strv *env, const char *folder, int output)
{
	auto_free char **argv = xcalloc(args->len + 1, sizeof(*argv));
	auto_free char **envp = xcalloc(env->len + 1, sizeof(*envp));
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = output },
		{ .flags = UV_INHERIT_FD, .data.fd = output },
	};
	uv_process_options_t options = { .exit_cb = on_exit_status, .stdio = stdio, .stdio_count = 3, .cwd = folder };

	memcpy(argv, args->items, args->len * sizeof(*argv));
	memcpy(envp, env->items, env->len * sizeof(*envp));
	options.file = argv[0];
	options.args = argv;
	options.env = envp;
	return uv_spawn(&run->loop.uv, &run->process, &options);
}

/* Runs the child to its end. */
static int run_child(struct run *run, const char *spark_home, const struct json *command, const char *folder,
		     int output, struct err *err)
{
	auto_free char *program = xasprintf("%s/bin/spark-submit", spark_home);
	auto_strv args = { 0 }, env = { 0 };
	int rc;

	make_args(&args, program, submit_server_port(run->server), command, folder);
	make_env(&env, spark_home, folder);
	rc = spawn_child(run, &args, &env, folder, output);
	if (rc < 0)
		return err_set(err, ERR_NOT_FOUND, "%s: %s", program, uv_strerror(rc));
	run->signals[0] = loop_on_signal(&run->loop, SIGINT, on_signal, run);
	run->signals[1] = loop_on_signal(&run->loop, SIGTERM, on_signal, run);
	sched_timer_init(&run->deadline, on_deadline, run);
	sched_arm(&run->loop.sched, &run->deadline, RUN_MAX_MS);
	loop_run(&run->loop);
	sched_disarm(&run->loop.sched, &run->deadline);
	loop_signal_close(run->signals[0]);
	loop_signal_close(run->signals[1]);
	return run->stopped ? err_set(err, ERR_CANCELED, "%s: %s", program, run->stopped) : 0;
}

/* ---- its end ---- */

static char *read_output(int fd)
{
	char block[4096];
	ssize_t n;
	auto_buf out;

	buf_init(&out, OUTPUT_MAX);
	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, block, sizeof(block))) > 0 && buf_add(&out, block, (size_t)n))
		;
	return buf_take(&out);
}

/* Spark says why in the last line that names an exception. Owned; NULL if there is none. */
static char *refusal_in_output(const char *output)
{
	char *found = NULL;

	while (*output) {
		size_t len = strcspn(output, "\n");
		auto_free char *line = xstrndup(output, len);
		bool named = strstr(line, "Exception") || text_starts(line, "Error: ");

		if (named && line[0] != '\t' && line[0] != ' ') {
			free(found);
			found = take_ptr(line);
		}
		output += len + (output[len] == '\n');
	}
	return found;
}

static struct json *result_of_run(const struct run *run, const char *output, struct err *err)
{
	auto_json out = json_dup(submit_server_recording(run->server));
	auto_free char *why = refusal_in_output(output);
	size_t len = strlen(output);

	if (run->status == 0 && run->signum == 0)
		return take_ptr(out);
	if (!why || run->signum) {
		err_set(err, ERR_INTERNAL, "spark-submit ended with status %lld, signal %d: %s", (long long)run->status,
			run->signum, output + (len > TAIL_MAX ? len - TAIL_MAX : 0));
		return NULL;
	}
	json_set_str(out, "error", why);
	return take_ptr(out);
}

static struct json *run_in(const char *folder, const char *spark_home, const struct json *command, struct err *err)
{
	auto_free char *path = xasprintf("%s/output", folder);
	auto_free char *text = NULL;
	struct run run = { 0 };
	struct json *out = NULL;
	int output;

	if (loop_init(&run.loop, err) < 0)
		return NULL;
	output = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	run.server = output < 0 ? NULL : submit_server_new(&run.loop, err);
	if (output < 0)
		err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (run.server && run_child(&run, spark_home, command, folder, output, err) == 0) {
		text = read_output(output);
		out = result_of_run(&run, text, err);
	}
	if (run.server)
		submit_server_close(run.server);
	if (run.process.loop)
		uv_close((uv_handle_t *)&run.process, NULL);
	if (output >= 0)
		close(output);
	loop_close(&run.loop);
	return out;
}

struct json *submit_run(const char *spark_home, const struct json *command, struct err *err)
{
	auto_free char *home = realpath(spark_home, NULL);
	auto_folder *folder = NULL;

	if (!home) {
		err_set(err, ERR_NOT_FOUND, "%s: %s", spark_home, strerror(errno));
		return NULL;
	}
	folder = make_folder(command, err);
	return folder ? run_in(folder, home, command, err) : NULL;
}

char *submit_run_version(const char *spark_home)
{
	auto_free char *pattern = xasprintf("%s/jars/spark-core_*.jar", spark_home);
	char *version = NULL;
	const char *dash;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0) {
		dash = strrchr(found.gl_pathv[0], '-');
		version = dash ? xstrndup(dash + 1, strlen(dash + 1) - strlen(".jar")) : NULL;
	}
	globfree(&found);
	return version ? version : xstrdup("unknown version");
}
