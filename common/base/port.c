#include "base/port.h"

uint64_t
port_wall_ms(const struct port *p)
{
	return p->wall_ms(p->arg);
}

uint64_t
port_mono_ms(const struct port *p)
{
	return p->mono_ms(p->arg);
}

void
port_boot_id(const struct port *p, uint8_t out[BOOT_LEN])
{
	p->boot_id(p->arg, out);
}

void
port_random(const struct port *p, void *out, size_t len)
{
	p->random(p->arg, out, len);
}

enum status
port_read_file(const struct port *p, const char *path, struct buf *out)
{
	return p->read_file(p->arg, path, out);
}

enum status
port_write_file(
    const struct port *p, const char *path, struct bytes in, bool secret)
{
	return p->write_file(p->arg, path, in, secret);
}

enum status
port_remove_file(const struct port *p, const char *path)
{
	return p->remove_file(p->arg, path);
}

enum status
port_move_file(const struct port *p, const char *from, const char *to)
{
	if (p->move_file == NULL)
		return ST_IO;
	return p->move_file(p->arg, from, to);
}

enum status
port_disk_free(const struct port *p, const char *path, uint64_t *out)
{
	if (p->disk_free == NULL)
		return ST_ABSENT;
	return p->disk_free(p->arg, path, out);
}
