#ifndef AGENT_KEYLESS_H
#define AGENT_KEYLESS_H
/*
 * keyless: starts one of the programs that look into strangers' files
 * (daybreak-look, daybreak-film): with two descriptors, nothing of our
 * environment but where libmagic's database is, and no descriptor that could
 * lead to a key: all of ours are close-on-exec.
 */
#include <stdbool.h>
#include <sys/types.h>

/*
 * `in` becomes its standard input, `out` its standard output; both stay ours to
 * close.  `env`: one more "NAME=value", or NULL.  False: it was not started.
 */
bool keyless_start(const char *program, const char *name, const char *env,
    int in, int out, pid_t *pid);

#endif
