#include "server/app/config.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/json.h"

#define TEXT(name, def, zh, help)                                              \
	{                                                                      \
#name, false, offsetof(struct config, name), def, 0, 0, 0, zh, \
		    help                                                       \
	}
#define NUMBER(name, def, min, max, zh, help)                                  \
	{                                                                      \
#name, true, offsetof(struct config, name), NULL, def, min,    \
		    max, zh, help                                              \
	}

const struct config_option config_options[] = {
	TEXT(listen, "0.0.0.0:7443", "手持机接口 host:port，双向 TLS",
	    "devices: host:port, mutual TLS"),
	TEXT(console, "127.0.0.1:7444", "控制台与查询接口 host:port",
	    "console and read API: host:port"),
	{ "public", false, offsetof(struct config, public_listen),
	    "0.0.0.0:7445", 0, 0, 0,
	    "公开接口 host:port：入网、检查点、文书核验",
	    "public: enrolment, checkpoint, tiles: host:port" },
	TEXT(public_proxy, "",
	    "公开接口前反向代理的地址，其 X-Forwarded-For 有效",
	    "address of a proxy before `public`, whose X-Forwarded-For counts"),
	TEXT(devices_at, "", "告知手持机的同步地址 host:port",
	    "host:port that devices are told to sync with"),
	TEXT(names, "", "服务器证书上的其他名称，以逗号分隔",
	    "more names for the server's certificate, comma between"),
	NUMBER(threads, 0, 0, 64, "网络线程数；0：每核一个，至多 4 个",
	    "network threads; 0: one a core, at most 4"),
	NUMBER(workers, 32, 1, 512, "同时处理的请求数",
	    "requests worked on at once"),
	NUMBER(cert_days, 180, 1, 3650, "手持机证书有效天数",
	    "validity of device certificates"),
	NUMBER(public_hour, 18, 0, 23, "公开的树每日更新的钟点",
	    "hour at which the public tree moves on"),
	NUMBER(utc_offset_min, 480, -720, 840, "本院所在时区，分钟",
	    "the court's zone, minutes"),
	NUMBER(stop_grace_ms, 10000, 0, 600000, "停止时留给未完请求的毫秒数",
	    "time to finish when stopped"),
	NUMBER(conns_max, 20000, 16, 1000000, "同时的连接数",
	    "connections at once"),
	NUMBER(evidence_max_bytes, (int64_t)64 << 30, 1, (int64_t)1 << 50,
	    "单个文件至多的字节数", "bytes of one file, at most"),
	NUMBER(evidence_free_min, (int64_t)2 << 30, 0, (int64_t)1 << 50,
	    "文件须给磁盘留出的字节数",
	    "bytes that files leave free on the disk"),
	NUMBER(evidence_quota, (int64_t)128 << 30, 1, (int64_t)1 << 50,
	    "一台手持机未传完的字节数上限",
	    "bytes of unfinished files of one device"),
	NUMBER(evidence_deliver_quota, (int64_t)8 << 30, 0, (int64_t)1 << 50,
	    "被吊销的手持机还可送来的字节数",
	    "bytes of files that a revoked device may still bring"),
	NUMBER(evidence_expire_s, 604800, 1, 31536000, "未传完的文件保留的秒数",
	    "seconds after which an unfinished file is given up"),
	NUMBER(evidence_threads, 4, 1, 64, "写入和计算哈希的线程数",
	    "threads that write and hash files"),
	{ NULL, false, 0, NULL, 0, 0, 0, NULL, NULL },
};

static enum status
set_number(struct config *c, const struct config_option *o, int64_t v,
    char why[CONFIG_WORDS_MAX])
{
	if (v < o->min || v > o->max) {
		(void)snprintf(why, CONFIG_WORDS_MAX,
		    "%s: %lld is not within %lld … %lld", o->name, (long long)v,
		    (long long)o->min, (long long)o->max);
		return ST_INVALID;
	}
	memcpy((char *)c + o->at, &v, sizeof(v));
	return ST_OK;
}

static enum status
set_text(struct config *c, const struct config_option *o, const char *text,
    char why[CONFIG_WORDS_MAX])
{
	int64_t v;
	char *end;

	if (!o->number) {
		if (strlen(text) > CONFIG_TEXT_MAX) {
			(void)snprintf(
			    why, CONFIG_WORDS_MAX, "%s: too long", o->name);
			return ST_INVALID;
		}
		memcpy((char *)c + o->at, text, strlen(text) + 1);
		return ST_OK;
	}
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0') {
		(void)snprintf(why, CONFIG_WORDS_MAX, "%s: no number: %.100s",
		    o->name, text);
		return ST_INVALID;
	}
	return set_number(c, o, v, why);
}

static const struct config_option *
find_option(const char *name)
{
	for (const struct config_option *o = config_options; o->name; o++) {
		const char *a = o->name, *b = name;

		while (*a != '\0' && (*a == *b || (*a == '_' && *b == '-'))) {
			a++;
			b++;
		}
		if (*a == '\0' && *b == '\0')
			return o;
	}
	return NULL;
}

static enum status
read_document(struct config *c, struct bytes doc, char why[CONFIG_WORDS_MAX])
{
	char name[64], text[CONFIG_TEXT_MAX + 1];
	struct json j;
	enum status st;

	json_init(&j);
	st = json_parse(&j, doc, JSON_DOCUMENT);
	if (st == ST_INVALID)
		(void)snprintf(why, CONFIG_WORDS_MAX,
		    "daybreak.json: %s at byte %u", j.why, j.where);
	if (st == ST_OK && j.node[0].type != JSON_OBJECT) {
		(void)snprintf(
		    why, CONFIG_WORDS_MAX, "daybreak.json: not an object");
		st = ST_INVALID;
	}
	if (st != ST_OK)
		goto out;
	for (uint32_t n = json_first(&j, 0);
	     st == ST_OK && n != json_end(&j, 0); n = j.node[n + 1].next) {
		const struct config_option *o;
		struct buf b;

		buf_init(&b, sizeof(name) - 1);
		json_text(&j, n, &b);
		name[0] = '\0';
		if (buf_cstr(&b) != NULL)
			memcpy(name, b.p, b.len + 1);
		buf_free(&b);
		o = find_option(name);
		if (o == NULL) {
			(void)snprintf(why, CONFIG_WORDS_MAX,
			    "daybreak.json: no such option: %s", name);
			st = ST_INVALID;
		} else if (o->number && j.node[n + 1].type == JSON_INT) {
			st = set_number(c, o, j.node[n + 1].num, why);
		} else if (!o->number &&
			   json_member_text(&j, 0, name, text, sizeof(text))) {
			st = set_text(c, o, text, why);
		} else {
			(void)snprintf(why, CONFIG_WORDS_MAX,
			    "daybreak.json: %s: a value of the wrong type",
			    name);
			st = ST_INVALID;
		}
	}
out:
	json_free(&j);
	return st;
}

static enum status
read_file(struct config *c, const struct port *p, const char *dir,
    char why[CONFIG_WORDS_MAX])
{
	struct buf path, doc;
	enum status st;

	buf_init(&path, 4096);
	buf_init(&doc, DOC_BYTES_MAX);
	buf_printf(&path, "%s/daybreak.json", dir);
	st = buf_cstr(&path) == NULL
		 ? path.err
		 : port_read_file(p, (const char *)path.p, &doc);
	if (st == ST_OK)
		st = read_document(c, buf_view(&doc), why);
	else if (st != ST_ABSENT)
		(void)snprintf(why, CONFIG_WORDS_MAX, "daybreak.json: %s",
		    status_text(st));
	buf_free(&path);
	buf_free(&doc);
	return st == ST_ABSENT ? ST_OK : st;
}

enum status
config_load(struct config *c, const struct port *p, const char *dir,
    char why[CONFIG_WORDS_MAX])
{
	enum status st = ST_OK;

	memset(c, 0, sizeof(*c));
	for (const struct config_option *o = config_options; o->name; o++) {
		if (o->number)
			memcpy((char *)c + o->at, &o->def, sizeof(o->def));
		else
			memcpy((char *)c + o->at, o->text, strlen(o->text) + 1);
	}
	st = read_file(c, p, dir, why);
	for (const struct config_option *o = config_options;
	     st == ST_OK && o->name != NULL; o++) {
		char name[80] = "DAYBREAK_";
		size_t n = strlen(name);
		const char *v;

		for (const char *s = o->name; *s != '\0'; s++)
			name[n++] = (char)toupper((unsigned char)*s);
		name[n] = '\0';
		v = getenv(name);
		if (v != NULL)
			st = set_text(c, o, v, why);
	}
	return st;
}

enum status
config_flag(struct config *c, const char *name, const char *value,
    char why[CONFIG_WORDS_MAX])
{
	const struct config_option *o = find_option(name);

	return o == NULL ? ST_ABSENT : set_text(c, o, value, why);
}

enum status
config_address(const char *text, char host[CONFIG_TEXT_MAX + 1], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t len;
	unsigned long v;
	char *end;

	if (colon == NULL || colon == text || colon[1] == '\0')
		return ST_INVALID;
	len = (size_t)(colon - text);
	v = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || v > 65535 || len > CONFIG_TEXT_MAX)
		return ST_INVALID;
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	*port = (uint16_t)v;
	return ST_OK;
}
