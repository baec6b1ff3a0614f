#ifndef SUPPORT_MORNING_WORDS_H
#define SUPPORT_MORNING_WORDS_H
/* The two sets of words of `morning`, each list ending in NULL. */

typedef const char *const *morning_list;

struct morning_text {
	morning_list court, officer, surname, given, street, object, sentence,
	    reason, unit, word;
};

extern const struct morning_text morning_text[2];

#endif
