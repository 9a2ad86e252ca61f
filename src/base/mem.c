/*
 * Allocation that aborts when there is no memory: see mem.h for why. A size of 0 gives a pointer that can be freed.
 * The only file that calls malloc and its relatives.
 */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *abort_if_null(void *ptr)
{
	if (!ptr) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return ptr;
}

void *xmalloc(size_t size)
{
	return abort_if_null(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return abort_if_null(count && size ? calloc(count, size) : calloc(1, 1));
}

void *xrealloc(void *ptr, size_t size)
{
	return abort_if_null(realloc(ptr, size ? size : 1));
}

void *xreallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return abort_if_null(NULL);
	return xrealloc(ptr, bytes);
}

char *xstrdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(xmalloc(size), text, size);
}

char *xstrndup(const char *text, size_t len)
{
	size_t n = strnlen(text, len);
	char *copy = xmalloc(n + 1);

	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

char *xstrdup_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

char *xasprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	return abort_if_null(len < 0 ? NULL : text);
}

void mem_trim(void)
{
#ifdef __GLIBC__ /* others do it by themselves, or cannot */
	malloc_trim(0);
#endif
}
