#ifndef PDF_QR_TEXT_H
#define PDF_QR_TEXT_H
/*
 * qr_text: a QR for a terminal, in half blocks: two rows of dots a line, light
 * on dark, with `edge` dots of quiet zone around it.
 */
#include "base/buf.h"

/* `fold`: small letters are taken for capitals, which a QR packs tighter.
 * ST_LIMIT: no QR can hold it. */
MUST_CHECK enum status qr_text(
    const char *text, bool fold, int edge, struct buf *out);

#endif
