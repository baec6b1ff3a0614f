/* app_log: structured lines: one JSON object each. */
#include <stdarg.h>
#include <stdio.h>

#include "entry/entry.h"
#include "entry/json.h"
#include "server/app/app_impl.h"

enum { LINE_MAX_BYTES = 8192 };

static void
put_line(struct app *a, enum app_level level, struct buf *b)
{
	const char *line;

	buf_u8(b, '}');
	line = buf_cstr(b);
	if (line != NULL && a->cfg.log != NULL)
		a->cfg.log(a->cfg.log_arg, level, line);
	buf_free(b);
}

static void
begin_line(
    struct app *a, struct buf *b, enum app_level level, const char *event)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char at[32];

	buf_init(b, LINE_MAX_BYTES);
	at_format(at, port_wall_ms(a->cfg.port), 0);
	buf_printf(
	    b, "{\"at\":\"%s\",\"level\":\"%s\",\"event\":", at, names[level]);
	json_put_str(b, event);
}

void
app_say(struct app *a, enum app_level level, const char *event, const char *fmt,
    ...)
{
	char text[1024];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	begin_line(a, &b, level, event);
	buf_str(&b, ",\"text\":");
	/* What came from outside may be no text, or was cut in its middle. */
	json_put_str(&b, json_text_ok(bytes_str(text)) ? text : "?");
	put_line(a, level, &b);
}

static void
put_if(struct buf *b, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_printf(b, ",\"%s\":", name);
	/* A path is bytes from outside: what is no text is not repeated. */
	json_put_str(b, json_text_ok(bytes_str(value)) ? value : "?");
}

void
app_net_log(void *arg, const struct net_log *l)
{
	static const enum app_level levels[] = { APP_DEBUG, APP_INFO, APP_WARN,
		APP_ERROR };
	struct app *a = arg;
	struct buf b;

	begin_line(a, &b, levels[l->level], l->event);
	put_if(&b, "listener", l->listener);
	put_if(&b, "addr", l->addr);
	put_if(&b, "dev", l->dev);
	put_if(&b, "reason", l->reason);
	put_if(&b, "method", l->method);
	put_if(&b, "path", l->path);
	if (l->status != 0)
		buf_printf(&b,
		    ",\"status\":%u,\"in\":%llu,\"out\":%llu,\"ms\":%llu",
		    l->status, (unsigned long long)l->bytes_in,
		    (unsigned long long)l->bytes_out,
		    (unsigned long long)l->ms);
	if (l->resumed)
		buf_str(&b, ",\"resumed\":true");
	put_line(a, levels[l->level], &b);
}
