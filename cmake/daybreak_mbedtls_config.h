/* What Daybreak changes in mbedTLS's default configuration (>= 3.6). */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD
/* 12 kB less for each idle connection; a record may still arrive at 16 KiB. */
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
/* Client and server certificates carry no key usage that would need these. */
#undef MBEDTLS_SSL_RENEGOTIATION
/* Self-tests count every point operation in static variables: a data race of
 * all network threads, and a cache line that moves between their cores. */
#undef MBEDTLS_SELF_TEST
