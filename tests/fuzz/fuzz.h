#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H
/*
 * fuzz: what every target includes.  CHECK states what must hold for any
 * input; it is never compiled out.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #cond);                                  \
			abort();                                               \
		}                                                              \
	} while (0)

/* Run one input; always 0.  Whatever fails ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
