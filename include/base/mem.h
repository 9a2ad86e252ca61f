/*
 * Memory: allocation that does not fail, ownership that can be read.
 *
 * Out of memory aborts: sizes are capped before anything is allocated (struct buf, reply and body limits), so
 * running out means that the machine or the cgroup is out, and a controller is made to be restarted.
 * Locals that own something carry an auto_ attribute; take_ptr() is the one way to move out of them.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((returns_nonnull));
void *xrealloc(void *ptr, size_t size) __attribute__((returns_nonnull));
/* ptr grown to hold count elements of size bytes; multiplication is checked. */
void *xreallocarray(void *ptr, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((returns_nonnull));
/* NULL stays NULL. */
char *xstrdup_null(const char *text);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Gives freed memory back to the system. Takes some milliseconds: for when a large amount has been freed. */
void mem_trim(void);

static inline void mem_cleanup_free(void *p)
{
	free(*(void **)p);
}

/* `auto_free char *s = ...` frees at the end of the scope. */
#define auto_free __attribute__((cleanup(mem_cleanup_free)))

/* Moves the pointer out of variable p and leaves NULL there. */
#define take_ptr(p)                                                                                                    \
	(__extension__({                                                                                               \
		__auto_type take_ptr_ = (p);                                                                           \
		(p) = NULL;                                                                                            \
		take_ptr_;                                                                                             \
	}))

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
