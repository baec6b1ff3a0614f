#include "pdf/qr_text.h"

#include <qrencode.h>

static bool
is_dark(const QRcode *qr, int x, int y)
{
	return y >= 0 && y < qr->width && x >= 0 && x < qr->width &&
	       (qr->data[y * qr->width + x] & 1) != 0;
}

enum status
qr_text(const char *text, bool fold, int edge, struct buf *out)
{
	QRcode *qr =
	    QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, fold ? 0 : 1);

	if (qr == NULL)
		return ST_LIMIT;
	for (int y = -edge; y < qr->width + edge; y += 2) {
		for (int x = -edge; x < qr->width + edge; x++) {
			bool above = is_dark(qr, x, y);
			bool below = is_dark(qr, x, y + 1);

			/* Light on dark terminals: white is the background. */
			buf_str(out,
			    above ? (below ? " " : "▄") : (below ? "▀" : "█"));
		}
		buf_u8(out, '\n');
	}
	QRcode_free(qr);
	return out->err;
}
