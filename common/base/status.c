#include "base/status.h"

#include <stddef.h>

static const char *const texts[] = {
#define STATUS_TEXT(name, text) text,
	STATUS_CODES(STATUS_TEXT)
#undef STATUS_TEXT
};

static const char *const names[] = {
#define STATUS_NAME(name, text) #name,
	STATUS_CODES(STATUS_NAME)
#undef STATUS_NAME
};

const char *
status_text(enum status st)
{
	if ((size_t)st >= sizeof(texts) / sizeof(texts[0]))
		return "unknown status";
	return texts[st];
}

const char *
status_name(enum status st)
{
	if ((size_t)st >= sizeof(names) / sizeof(names[0]))
		return "UNKNOWN";
	return names[st];
}
