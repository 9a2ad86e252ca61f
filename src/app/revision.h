/*
 * Which sources the program was built from. Each build writes it anew (src/tools/revision.cmake).
 */
#ifndef APP_REVISION_H
#define APP_REVISION_H

/*
 * As deploy/revision prints it: a commit of git, `COMMIT-dirty-HASH` if the sources differed from it, or `unknown-HASH`
 * without git.
 */
extern const char revision[];

#endif
