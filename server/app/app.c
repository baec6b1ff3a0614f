#include "server/app/app_impl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pdf/pdf.h"
#include "server/ca/ca.h"

enum { TICKET_LIFE_S = 86400, EVIDENCE_AT_START = 20000, ERR = APP_ERRMSG_LEN };

static const char centre_name[] = "centre.daybreak.internal";

/* What the handshake asks of every device certificate. */
static enum identity
identify(void *arg, const uint8_t serial[X509_SERIAL_LEN], const char *dev)
{
	struct app *a = arg;
	struct roster_device d;
	uint64_t kept;
	enum status st;

	/* A certificate that was renewed meanwhile stays good until its date:
	 * the answer that carried the new one may have been lost. */
	(void)serial;
	st = roster_device_by_dev(a->roster, dev, &d);
	/* Of our CA, and no entry: it joined a log that ended. */
	if (st == ST_ABSENT && centre_restored(a->centre, &kept))
		return IDENTITY_UNCONFIRMED;
	if (st != ST_OK)
		return IDENTITY_UNKNOWN;
	return d.standing[0] == '\0' ? IDENTITY_TRUSTED : IDENTITY_REVOKED;
}

/* Names of the server's certificate: the fixed one, and what is configured. */
static size_t
split_names(char *text, const char **names, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	names[n++] = centre_name;
	for (char *p = strtok_r(text, ", ", &save); p != NULL && n < max;
	     p = strtok_r(NULL, ", ", &save))
		names[n++] = p;
	return n;
}

static enum status
make_tls(struct app *a)
{
	char text[CONFIG_TEXT_MAX + 1];
	const char *names[CA_NAMES_MAX];
	struct buf cert, key;
	size_t count;
	enum status st;

	memcpy(text, a->cfg.options.names, sizeof(text));
	count = split_names(text, names, CA_NAMES_MAX);
	buf_init(&cert, X509_CERT_DER_MAX);
	buf_init(&key, X509_KEY_DER_MAX);
	st = ca_issue_server(centre_ca(a->centre), &cert, &key, names, count);
	for (int i = 0; st == ST_OK && i < LISTENERS; i++) {
		struct tls_settings s = { .port = a->cfg.port,
			.role = i == LISTEN_DEVICES ? TLS_MUTUAL : TLS_SERVER,
			.tls12 = i != LISTEN_DEVICES,
			.cert_der = buf_view(&cert),
			.key_der = buf_view(&key),
			.ca_der = ca_cert(centre_ca(a->centre)),
			.ticket_life_s = TICKET_LIFE_S,
			.identity = i == LISTEN_DEVICES ? identify : NULL,
			.identity_arg = a };

		st = tls_conf_new(&a->tls[i], &s);
	}
	buf_free(&cert);
	buf_wipe(&key);
	return st;
}

/* host:port that devices are told: configured, else the descriptor's first. */
static enum status
find_devices_at(struct app *a)
{
	static const char scheme[] = "https://";
	struct descriptor *d;
	struct buf file;
	enum status st;

	if (a->cfg.options.devices_at[0] != '\0') {
		memcpy(a->devices_at, a->cfg.options.devices_at,
		    sizeof(a->devices_at));
		return ST_OK;
	}
	d = malloc(sizeof(*d));
	if (d == NULL)
		return ST_NOMEM;
	buf_init(&file, DESCRIPTOR_FILE_MAX);
	st = centre_descriptor(a->centre, &file);
	if (st == ST_OK)
		st = descriptor_parse(d, buf_view(&file));
	if (st == ST_OK && d->devices_at.count > 0 &&
	    strncmp(d->devices_at.url[0], scheme, sizeof(scheme) - 1) == 0)
		(void)snprintf(a->devices_at, sizeof(a->devices_at), "%s",
		    d->devices_at.url[0] + sizeof(scheme) - 1);
	buf_free(&file);
	free(d);
	return st;
}

static enum status
open_project(struct app *a)
{
	char path[4096];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct project_config pc = { .path = path,
		.hands = cpus < 2 ? 0 : (size_t)(cpus - 1),
		.centre = a->centre,
		.feed = a->feed,
		.roster = a->roster,
		.utc_offset_min = (int)a->cfg.options.utc_offset_min };
	enum status st;

	(void)snprintf(path, sizeof(path), "%s/project.db", a->cfg.dir);
	st = define_open(&a->define, a->centre, a->roster);
	if (st == ST_OK)
		st = define_domain(a->define, &a->domain);
	if (st != ST_OK)
		return st;
	pc.kinds = a->domain->kinds;
	pc.rules = a->domain->rules;
	st = contacts_new(&a->contacts);
	if (st == ST_OK)
		st = hints_new(&a->board, a->centre, a->domain->kinds);
	if (st == ST_OK)
		st = feed_reader_open(&a->feed_reader, a->feed);
	pc.feed_reader = a->feed_reader;
	return st == ST_OK ? project_open(&a->project, &pc) : st;
}

static enum status
open_evidence(struct app *a, char errmsg[ERR])
{
	const struct config *o = &a->cfg.options;
	struct evidence_config ec = { .dir = a->cfg.dir,
		.centre = a->centre,
		.port = a->cfg.port,
		.threads = (unsigned)o->evidence_threads,
		.limits = { .max_bytes = (uint64_t)o->evidence_max_bytes,
		    .free_min = (uint64_t)o->evidence_free_min,
		    .quota = (uint64_t)o->evidence_quota,
		    .deliver_quota = (uint64_t)o->evidence_deliver_quota,
		    .expire_ms = (uint64_t)o->evidence_expire_s * 1000 } };
	char why[EVIDENCE_ERRMSG_LEN] = "";
	uint64_t done = 0;
	enum status st = evidence_open(&a->evidence, &ec, why);

	if (st != ST_OK) {
		(void)snprintf(errmsg, ERR, "%s: %s", a->cfg.dir, why);
		return st;
	}
	/* Who has a receipt must be known before one is asked for: the little
	 * that a restart has missed at once, all of a log behind the daemon,
	 * where files wait for it. */
	return evidence_follow(a->evidence, EVIDENCE_AT_START, &done);
}

static enum status
open_core(struct app *a, char errmsg[ERR])
{
	struct centre_config cc = { .dir = a->cfg.dir,
		.port = a->cfg.port,
		.public_minute = (int)a->cfg.options.public_hour * 60,
		.public_offset_min = (int)a->cfg.options.utc_offset_min };
	char why[CENTRE_ERRMSG_LEN] = "", path[4096];
	struct feed_config fc = { .path = path };
	enum status st;

	st = centre_open(&a->centre, &cc, why);
	if (st != ST_OK) {
		(void)snprintf(errmsg, ERR, "%s: %s", a->cfg.dir, why);
		return st;
	}
	st = roster_open(&a->roster, a->centre);
	(void)snprintf(path, sizeof(path), "%s/feed.db", a->cfg.dir);
	fc.centre = a->centre;
	fc.roster = a->roster;
	if (st == ST_OK)
		st = feed_open(&a->feed, &fc);
	if (st == ST_OK)
		st = open_project(a);
	if (st == ST_OK)
		st = open_evidence(a, errmsg);
	if (st != ST_OK && errmsg[0] == '\0')
		(void)snprintf(
		    errmsg, ERR, "cannot follow the log: %s", status_text(st));
	return st;
}

/* Addresses that nothing here would ever be seen to fail by: handhelds would be
 * told one that there is not, a proxy never be known as one. */
static enum status
check_addresses(const struct config *o, char errmsg[ERR])
{
	char host[CONFIG_TEXT_MAX + 1];
	uint8_t addr[sizeof(struct in6_addr)];
	uint16_t port = 0;

	if (o->devices_at[0] != '\0' &&
	    (config_address(o->devices_at, host, &port) != ST_OK ||
		port == 0)) {
		(void)snprintf(errmsg, ERR, "devices_at: not host:port: %s",
		    o->devices_at);
		return ST_INVALID;
	}
	if (o->public_proxy[0] != '\0' &&
	    inet_pton(AF_INET, o->public_proxy, addr) != 1 &&
	    inet_pton(AF_INET6, o->public_proxy, addr) != 1) {
		(void)snprintf(errmsg, ERR, "public_proxy: no IP address: %s",
		    o->public_proxy);
		return ST_INVALID;
	}
	return ST_OK;
}

static enum status
open_net(struct app *a, char errmsg[ERR])
{
	static const char *const names[] = { "devices", "console", "public" };
	const struct config *o = &a->cfg.options;
	const char *at[] = { o->listen, o->console, o->public_listen };
	char host[LISTENERS][CONFIG_TEXT_MAX + 1], why[NET_ERRMSG_LEN] = "";
	struct net_config nc = { .port = a->cfg.port,
		.listener_count = LISTENERS,
		.routes = a->route,
		.log = app_net_log,
		.log_arg = a };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	enum status st;

	st = check_addresses(o, errmsg);
	if (st != ST_OK)
		return st;
	nc.threads = (unsigned)o->threads;
	if (nc.threads == 0)
		nc.threads = cores < 1 ? 1 : cores > 4 ? 4 : (unsigned)cores;
	for (int i = 0; i < LISTENERS; i++) {
		nc.listeners[i].name = names[i];
		nc.listeners[i].host = host[i];
		nc.listeners[i].tls = a->tls[i];
		nc.listeners[i].lean = i == LISTEN_DEVICES;
		if (config_address(at[i], host[i], &nc.listeners[i].port) !=
		    ST_OK) {
			(void)snprintf(errmsg, ERR, "%s: not host:port: %s",
			    names[i], at[i]);
			return ST_INVALID;
		}
	}
	nc.route_count = a->route_count;
	net_limits_default(&nc.limits);
	nc.limits.conns_max = (unsigned)o->conns_max;
	st = net_start(&a->net, &nc, why);
	if (st != ST_OK)
		(void)snprintf(errmsg, ERR, "%s", why);
	return st;
}

enum status
app_start(struct app **out, const struct app_config *c, char errmsg[ERR])
{
	struct enrol_config ec;
	pthread_condattr_t steady;
	struct app *a = calloc(1, sizeof(*a));
	enum status st;

	errmsg[0] = '\0';
	if (a == NULL)
		return ST_NOMEM;
	a->cfg = *c;
	a->started_ms = port_wall_ms(c->port);
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->wake, NULL);
	(void)pthread_mutex_init(&a->follow_lock, NULL);
	/* Its second is one whatever happens to the wall clock. */
	(void)pthread_condattr_init(&steady);
	(void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&a->follow_wake, &steady);
	(void)pthread_condattr_destroy(&steady);
	st = open_core(a, errmsg);
	if (st == ST_OK)
		st = find_devices_at(a);
	if (st == ST_OK) {
		ec = (struct enrol_config){ .centre = a->centre,
			.roster = a->roster,
			.cert_days = (unsigned)c->options.cert_days,
			.devices_at = a->devices_at };
		st = enrol_new(&a->enrol, &ec);
	}
	if (st == ST_OK)
		st = check_open(a);
	if (st == ST_OK)
		st = make_tls(a);
	if (st == ST_OK)
		st = work_start(a);
	if (st == ST_OK)
		st = committer_start(centre_committer(a->centre));
	if (st == ST_OK) {
		routes_make(a);
		st = open_net(a, errmsg);
	}
	if (st != ST_OK) {
		if (errmsg[0] == '\0')
			(void)snprintf(errmsg, ERR, "%s", status_text(st));
		app_stop(a);
		return st;
	}
	*out = a;
	return ST_OK;
}

void
app_ports(const struct app *a, struct app_ports *out)
{
	out->devices = net_port(a->net, LISTEN_DEVICES);
	out->console = net_port(a->net, LISTEN_CONSOLE);
	out->public_port = net_port(a->net, LISTEN_PUBLIC);
}

/*
 * Order matters: no new requests; those taken in are answered, for which the
 * committer must still run; then it finishes what waits; then all is closed.
 */
void
app_stop(struct app *a)
{
	if (a == NULL)
		return;
	if (a->net != NULL)
		net_stop(a->net, (unsigned)a->cfg.options.stop_grace_ms);
	work_stop(a);
	pdf_end(); /* what its threads printed with */
	/* It writes receipts to the end. */
	evidence_close(a->evidence);
	if (a->centre != NULL)
		committer_stop(centre_committer(a->centre));
	net_free(a->net);
	for (int i = 0; i < LISTENERS; i++)
		tls_conf_free(a->tls[i]);
	enrol_free(a->enrol);
	project_close(a->project);
	feed_reader_close(a->feed_reader);
	feed_close(a->feed);
	rate_free(a->rate);
	contacts_free(a->contacts);
	hints_free(a->board);
	domain_unref(a->domain);
	define_close(a->define);
	if (a->centre != NULL && centre_flush(a->centre) != ST_OK)
		app_say(a, APP_WARN, "stop", "counters were not written");
	centre_close(a->centre);
	roster_close(a->roster);
	(void)pthread_cond_destroy(&a->wake);
	(void)pthread_mutex_destroy(&a->lock);
	(void)pthread_cond_destroy(&a->follow_wake);
	(void)pthread_mutex_destroy(&a->follow_lock);
	free(a);
}
