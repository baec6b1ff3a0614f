#include "support/made_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry/json.h"
#include "support/expect.h"

enum { SPEC_MAX = 1 << 16, PART_MAX = 1 << 16 };

struct made {
	struct buf fields, items, links, acts, status;
	unsigned values, item_n, act_n;
	bool is_void, missing, blind, bare;
	char last_path[300]; /* fields of one path stand in one array */
};

/* #1 becomes @0000…01 */
static void
expand(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '#' && i + 1 < len && text[i + 1] > '0' &&
		    text[i + 1] <= '9')
			buf_printf(out, "@%031d%c", 0, text[++i]);
		else
			buf_u8(out, (uint8_t)text[i]);
	}
}

static void
add_field(struct made *m, const char *line, const char *eq)
{
	size_t len = (size_t)(eq - line);

	EXPECT(len < sizeof(m->last_path));
	if (strlen(m->last_path) == len &&
	    memcmp(m->last_path, line, len) == 0) {
		m->fields.len--; /* the ']' of the array so far */
		buf_u8(&m->fields, ',');
	} else {
		buf_str(&m->fields, m->fields.len > 0 ? ",\"" : "\"");
		expand(line, len, &m->fields);
		buf_str(&m->fields, "\":[");
		memcpy(m->last_path, line, len);
		m->last_path[len] = '\0';
	}
	buf_printf(&m->fields, "[\"%032x\",", ++m->values);
	if (strcmp(eq + 1, "withheld") == 0)
		buf_printf(&m->fields, "{\"withheld\":\"%064d\"}", 0);
	else
		expand(eq + 1, strlen(eq + 1), &m->fields);
	buf_str(&m->fields, "]]");
}

static void
add_item(struct made *m, const char *line)
{
	buf_str(&m->items, m->items.len > 0 ? ",\"" : "\"");
	expand(line + 1, strlen(line + 1), &m->items);
	buf_printf(&m->items, "\":{\"is\":\"%s\",\"n\":%u}",
	    line[0] == '+'   ? "in"
	    : line[0] == '-' ? "out"
			     : "conflict",
	    ++m->item_n);
}

/* The next word of an act's line, up to a space. */
static void
word(char **p, char out[600])
{
	size_t len = strcspn(*p, " ");

	EXPECT(len < 600);
	memcpy(out, *p, len);
	out[len] = '\0';
	*p += len;
	while (**p == ' ')
		(*p)++;
}

static void
add_act(struct made *m, char *line)
{
	char verb[600], on[600], data[600], *more = line + 1, *colon;
	struct buf *b = &m->acts;

	word(&more, verb);
	word(&more, on);
	word(&more, data);
	colon = strchr(verb, ':');
	if (colon != NULL)
		*colon++ = '\0';
	buf_printf(b,
	    "%s\"%032x\":{\"at\":\"2024-03-01T09:00:%02u+08:00\","
	    "\"by\":\"x\",\"is\":\"in\",\"reason\":null,\"do\":\"%s\",",
	    b->len > 0 ? "," : "", 0xa0 + m->act_n, m->act_n, verb);
	m->act_n++;
	if (strcmp(verb, "advance") == 0) {
		buf_str(b, "\"from\":[");
		if (colon != NULL)
			buf_printf(b, "[\"%032x\",\"%s\"]", 1, colon);
		buf_str(b, "],");
	} else if (colon != NULL) {
		buf_printf(b, "\"sign\":\"%s\",", colon);
	}
	buf_str(b, "\"on\":[\"");
	expand(on, strcmp(on, "-") == 0 ? 0 : strlen(on), b);
	buf_printf(
	    b, "\"],\"data\":[%s],", strcmp(data, "-") == 0 ? "null" : data);
	buf_str(b, "\"more\":");
	if (*more == '\0' || strcmp(more, "-") == 0)
		buf_str(b, "null");
	else
		expand(more, strlen(more), b);
	buf_u8(b, '}');
}

static void
add_line(struct made *m, char *line)
{
	char *eq = strchr(line, '=');
	unsigned to;

	switch (line[0]) {
	case '\0':
		return;
	case '+':
	case '-':
	case '?':
		add_item(m, line);
		return;
	case '=':
		buf_printf(&m->status, "%s[\"%032x\",\"%s\"]",
		    m->status.len > 0 ? "," : "", ++m->values, line + 1);
		return;
	case '~':
		to = m->values;
		if (strchr(line, '>') != NULL) {
			to = (unsigned)strtoul(strchr(line, '>') + 1, NULL, 16);
			*strchr(line, '>') = '\0';
		}
		buf_printf(&m->links,
		    "%s\"01890a5d-ac96-774b-bcce-b302099a80%02x\":"
		    "[[\"%032x\",\"%s\"]]",
		    m->links.len > 0 ? "," : "", to, m->values + 1, line + 1);
		m->values++;
		return;
	case '!':
		add_act(m, line);
		return;
	case ':':
		m->is_void = m->is_void || strcmp(line, ":void") == 0;
		m->missing = m->missing || strcmp(line, ":missing") == 0;
		m->blind = m->blind || strcmp(line, ":blind") == 0;
		m->bare = m->bare || strcmp(line, ":bare") == 0;
		return;
	default:
		if (eq == NULL)
			fail_msg("bad line: %s", line);
		add_field(m, line, eq);
	}
}

static void
put(struct made *m, const char *kind, struct buf *out)
{
	char id[40];

	(void)snprintf(id, sizeof(id), "\"%032x\"", 7);
	buf_printf(out,
	    "{\"v\":1,\"rec\":\"01890a5d-ac96-774b-bcce-b302099a8057\","
	    "\"kind\":[\"%s\"],\"void\":%s,\"heads\":[],\"bare\":[%s],"
	    "\"blind\":[%s],\"missing\":[%s],\"fields\":{",
	    kind, m->is_void ? "true" : "false", m->bare ? id : "",
	    m->blind ? id : "", m->missing ? id : "");
	buf_bytes(out, buf_view(&m->fields));
	buf_str(out, "},\"items\":{");
	buf_bytes(out, buf_view(&m->items));
	buf_str(out, "},\"links\":{");
	buf_bytes(out, buf_view(&m->links));
	buf_str(out, "},\"status\":[");
	buf_bytes(out, buf_view(&m->status));
	buf_str(out, "],\"acts\":{");
	buf_bytes(out, buf_view(&m->acts));
	buf_str(out, "}}");
}

void
made_state(const char *kind, const char *spec, struct buf *out)
{
	struct made m = { .values = 0 };
	struct buf *parts[] = { &m.fields, &m.items, &m.links, &m.acts,
		&m.status };
	char *copy = strdup(spec), *line = copy, *next;
	struct buf raw;
	struct json j;

	EXPECT(copy != NULL);
	for (size_t i = 0; i < 5; i++)
		buf_init(parts[i], PART_MAX);
	while (line != NULL) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		add_line(&m, line);
		line = next;
	}
	buf_init(&raw, SPEC_MAX);
	put(&m, kind, &raw);
	json_init(&j);
	if (json_parse(&j, buf_view(&raw), JSON_DOCUMENT) != ST_OK)
		fail_msg("%s at %u of %s", j.why, j.where, buf_cstr(&raw));
	json_canon(&j, 0, out);
	EXPECT_OK(out->err);
	json_free(&j);
	buf_free(&raw);
	for (size_t i = 0; i < 5; i++)
		buf_free(parts[i]);
	free(copy);
}
