#include "agent/core/keyless.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>

bool
keyless_start(const char *program, const char *name, const char *env, int in,
    int out, pid_t *pid)
{
	char name0[32], magic[1024], more[64];
	char *argv[2] = { name0, NULL }, *envp[3] = { NULL, NULL, NULL };
	const char *where = getenv("MAGIC");
	size_t n = 0;
	posix_spawn_file_actions_t acts;
	bool ok;

	(void)snprintf(name0, sizeof(name0), "%s", name);
	if (where != NULL && snprintf(magic, sizeof(magic), "MAGIC=%s", where) <
				 (int)sizeof(magic))
		envp[n++] = magic;
	if (env != NULL &&
	    snprintf(more, sizeof(more), "%s", env) < (int)sizeof(more))
		envp[n] = more;
	if (posix_spawn_file_actions_init(&acts) != 0)
		return false;
	ok = posix_spawn_file_actions_adddup2(&acts, in, 0) == 0 &&
	     posix_spawn_file_actions_adddup2(&acts, out, 1) == 0 &&
	     posix_spawn_file_actions_addopen(
		 &acts, 2, "/dev/null", O_WRONLY, 0) == 0 &&
	     posix_spawn(pid, program, &acts, NULL, argv, envp) == 0;
	(void)posix_spawn_file_actions_destroy(&acts);
	return ok;
}
