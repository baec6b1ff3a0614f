/* admin_court: making a court, running it, its keys. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enc.h"
#include "base/sha.h"
#include "entry/json.h"
#include "server/admin/admin.h"
#include "server/app/app.h"

/* ---- init */

/* The keys that must not stay on the server: one JSON file to take away. */
static enum status
put_keys(const char *path, const char *court, const struct centre_keys *k)
{
	struct buf b;
	enum status st;

	buf_init(&b, 4096);
	buf_str(&b, "{\"v\":1,\"court\":");
	json_put_str(&b, court);
	buf_str(&b, ",\"root\":");
	json_put_hex(&b, bytes_of(k->root_secret, sizeof(k->root_secret)));
	buf_str(&b, ",\"recovery\":");
	json_put_hex(
	    &b, bytes_of(k->recovery_secret, sizeof(k->recovery_secret)));
	buf_str(&b, "}\n");
	st = b.err;
	if (st == ST_OK && path != NULL)
		st = port_write_file(port_system(), path, buf_view(&b), true);
	else if (st == ST_OK && fwrite(b.p, 1, b.len, stdout) != b.len)
		st = ST_IO;
	buf_wipe(&b);
	return st;
}

/* Or not given. */
static bool
is_address(const char *text)
{
	char host[CONFIG_TEXT_MAX + 1];
	uint16_t port = 0;

	return text == NULL ||
	       (config_address(text, host, &port) == ST_OK && port != 0);
}

static int
run_init(struct admin *a)
{
	char errmsg[CENTRE_ERRMSG_LEN] = "", devices[300], pub[300];
	const char *devices_at[1] = { devices }, *public_at[1] = { pub };
	struct centre_init what = { .dir = a->dir,
		.code = a->court,
		.name = a->name,
		.origin = a->origin,
		.devices_at = devices_at,
		.devices_at_count = 1,
		.public_at = public_at,
		.public_at_count = 1,
		.port = port_system() };
	struct centre_keys keys;
	enum status st;

	if (!admin_needs(a, "--court", a->court) ||
	    !admin_needs(a, "--name", a->name))
		return ADMIN_USAGE;
	/* They stand in the court's first descriptor, for ever. */
	if (!is_address(a->devices_address) || !is_address(a->address))
		return admin_refuse(a, "地址应为 host:port",
		    "--address and --devices-address are host:port");
	(void)snprintf(devices, sizeof(devices), "https://%s",
	    a->devices_address != NULL ? a->devices_address : "127.0.0.1:7443");
	(void)snprintf(pub, sizeof(pub), "https://%s",
	    a->address != NULL ? a->address : "127.0.0.1:7445");
	st = centre_init(&what, &keys, errmsg);
	if (st != ST_OK)
		return admin_fail(a, errmsg[0] == '\0' ? a->dir : errmsg, st);
	st = put_keys(a->recovery_out, a->court, &keys);
	sodium_memzero(&keys, sizeof(keys));
	if (st != ST_OK)
		return admin_fail(a,
		    "the court was made, but its root and recovery keys could "
		    "not be written: remove the folder and make it again",
		    st);
	(void)fprintf(stderr,
	    "法院已建立。根密钥与恢复密钥不在服务器上，请带走并妥善保管。\n"
	    "The court is made. Its root and recovery keys are not kept on the "
	    "server:\ntake them away and keep them safe.\n");
	if (a->json)
		(void)puts("{\"made\":true}");
	return ADMIN_DONE;
}

/* ---- run */

static void
put_log(void *arg, enum app_level level, const char *line)
{
	const bool *verbose = arg;

	if (level == APP_DEBUG && !*verbose)
		return;
	/* One write a line: lines of several threads do not mix. */
	(void)fprintf(stderr, "%s\n", line);
}

static int
wait_for_signal(const sigset_t *set)
{
	int got = 0;

	while (sigwait(set, &got) != 0)
		continue;
	return got;
}

static int
run_run(struct admin *a)
{
	static const bool verbose = false;
	char errmsg[APP_ERRMSG_LEN];
	struct app_config c = { .dir = a->dir,
		.port = port_system(),
		.options = a->config,
		.log = put_log,
		.log_arg = (void *)(uintptr_t)&verbose };
	struct app_ports ports;
	struct app *app = NULL;
	sigset_t set;

	/* Blocked before any thread starts, so that only we take them. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (app_start(&app, &c, errmsg) != ST_OK)
		return admin_refuse(a, "服务未能启动", errmsg);
	app_ports(app, &ports);
	(void)printf("{\"console\":%u,\"devices\":%u,\"public\":%u,"
		     "\"ready\":true}\n",
	    ports.console, ports.devices, ports.public_port);
	(void)fflush(stdout);
	(void)wait_for_signal(&set);
	app_stop(app);
	(void)puts("{\"stopped\":true}");
	return ADMIN_DONE;
}

/* ---- vkey, token */

/* One word that others copy: bare for a shell, or an object like every other
 * result.  Neither a key's name nor a token holds what JSON would escape. */
static void
put_word(const struct admin *a, const char *name, const char *word)
{
	if (a->json)
		(void)printf("{\"%s\":\"%s\"}\n", name, word);
	else
		(void)puts(word);
}

static int
run_vkey(struct admin *a)
{
	struct buf b;

	buf_init(&b, 1024);
	note_key_format(centre_log_key(a->centre), &b);
	if (buf_cstr(&b) == NULL)
		return admin_fail(a, "vkey", b.err);
	put_word(a, "vkey", (const char *)b.p);
	buf_free(&b);
	return ADMIN_DONE;
}

static int
run_token(struct admin *a)
{
	uint8_t raw[32], hash[HASH_LEN];
	char text[65];
	struct store_doc doc = { .sort = bytes_str("token") };
	struct buf b;
	enum status st;

	if (!admin_needs(a, "--role", a->role))
		return ADMIN_USAGE;
	if (!admin_role_known(a, true))
		return ADMIN_FAILED;
	port_random(port_system(), raw, sizeof(raw));
	hex_encode(text, bytes_of(raw, sizeof(raw)));
	sha256(hash, bytes_str(text));
	buf_init(&b, 1024);
	buf_str(&b, "{\"person\":");
	json_put_str(&b, a->person == NULL ? "" : a->person);
	buf_printf(&b, ",\"role\":\"%s\"}", a->role);
	doc.key = bytes_of(hash, HASH_LEN);
	doc.made = port_wall_ms(port_system());
	doc.doc = buf_view(&b);
	st = b.err == ST_OK ? centre_put_doc(a->centre, &doc) : b.err;
	buf_free(&b);
	if (st != ST_OK)
		return admin_fail(a, "token", st);
	put_word(a, "token", text);
	sodium_memzero(text, sizeof(text));
	return ADMIN_DONE;
}

const struct admin_command admin_court_commands[] = {
	{ "init", false, run_init,
	    "--court CODE --name NAME [--recovery-out FILE] [--address H:P] "
	    "[--devices-address H:P]",
	    "建立法院", "make a court; the keys to take away go to FILE" },
	{ "run", false, run_run,
	    "[--listen H:P] [--console H:P] [--public H:P]", "启动服务",
	    "serve" },
	{ "vkey", true, run_vkey, "", "日志公钥", "the log's verifier key" },
	{ "token", true, run_token,
	    "--role supervisor|commander|auditor|admin|security [--person ID]",
	    "接口令牌", "a bearer token for the read API" },
	{ NULL, false, NULL, NULL, NULL, NULL },
};
