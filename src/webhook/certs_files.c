/*
 * A certificate in mounted files: cert-manager's, an administrator's. Files have no watch, so certs_files_read() is
 * called every few seconds and compares their stamps (device, inode, size, time of change).
 *
 * Happy path: a stamp has changed → all files are read → the pair is whole → it is what is found.
 *
 * Failure modes: a file is missing or unreadable, or key and certificate do not belong together, as while they are
 * being replaced. The last whole pair stays, and the files are read again at each call until they are whole. The
 * log says so once.
 */
#include "certs_files.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "runtime/config.h"

enum { CERT_FILE, KEY_FILE, CA_FILE, FILES };

struct certs_files {
	char *directory;
	char *paths[FILES];
	uint64_t stamp; /* of the files when they were last read */
	bool unusable;	/* they were of no use then */
	struct certs_material *found;
};

struct certs_files *certs_files_new(const char *directory, const char *cert_name, const char *key_name)
{
	struct certs_files *f = xcalloc(1, sizeof(*f));

	f->directory = xstrdup(directory);
	f->paths[CERT_FILE] = xasprintf("%s/%s", directory, cert_name);
	f->paths[KEY_FILE] = xasprintf("%s/%s", directory, key_name);
	f->paths[CA_FILE] = xasprintf("%s/ca.crt", directory);
	return f;
}

void certs_files_free(struct certs_files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < FILES; i++)
		free(f->paths[i]);
	free(f->directory);
	certs_material_free(f->found);
	free(f);
}

/* NULL + ERR_INVALID unless there is a whole pair. The CA may be missing. */
static struct certs_material *read_pair(const struct certs_files *f, struct err *err)
{
	struct certs_material *m = xcalloc(1, sizeof(*m));
	struct err ignored;

	m->server.cert = config_read_pem(f->paths[CERT_FILE], CONFIG_PEM_CERTIFICATE, err);
	if (m->server.cert)
		m->server.key = config_read_pem(f->paths[KEY_FILE], CONFIG_PEM_KEY, err);
	if (m->server.key && certificate_check_serving(&m->server, err) == 0) {
		m->ca.cert = config_read_pem(f->paths[CA_FILE], CONFIG_PEM_CERTIFICATE, &ignored);
		return m;
	}
	err_wrap(err, "%s", f->directory);
	certs_material_free(m);
	return NULL;
}

static uint64_t stamp_file(uint64_t seed, const char *path)
{
	auto_free char *text = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		return text_hash(seed, "absent");
	text = xasprintf("%llu %llu %lld %lld.%09ld", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
			 (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return text_hash(seed, text);
}

bool certs_files_read(struct certs_files *f)
{
	uint64_t stamp = 0;
	struct certs_material *fresh;
	struct err err;

	for (size_t i = 0; i < FILES; i++)
		stamp = stamp_file(stamp, f->paths[i]);
	if (stamp == f->stamp && !f->unusable)
		return false;
	f->stamp = stamp;
	fresh = read_pair(f, &err);
	if (!fresh && !f->unusable)
		log_warn("-", "webhook: the certificate's files are not usable, they are read again", "error", err.msg,
			 NULL);
	f->unusable = !fresh;
	if (!fresh)
		return false;
	certs_material_free(f->found);
	f->found = fresh;
	return true;
}

const struct certs_material *certs_files_found(const struct certs_files *f)
{
	return f->found;
}
