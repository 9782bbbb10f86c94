/* SPDX-License-Identifier: MIT */
#include "x86/cpu/serial.h"

#include "hv/cmdline.h"
#include "hv/console.h"
#include "hv/percpu.h"
#include "hv/timer.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"

/* Registers and bits of the 16550A (its data sheet). */
#define UART_DATA	 0 /* with DLAB: divisor low */
#define UART_IER	 1 /* with DLAB: divisor high */
#define UART_FCR	 2
#define UART_LCR	 3
#define UART_MCR	 4
#define UART_LSR	 5
#define UART_SCRATCH	 7
#define LCR_8N1		 0x03
#define LCR_DLAB	 0x80
#define FCR_ENABLE_CLEAR 0x87 /* FIFOs on and emptied, interrupt at 8 bytes or after a pause */
#define MCR_DTR_RTS_OUT2 0x0b
#define IER_RECEIVE	 0x01
#define LSR_DATA	 0x01
#define LSR_THRE	 0x20 /* the transmit FIFO is empty */
#define FIFO_SIZE	 16
#define BASE_BAUD	 115200
#define POLL_NS		 MILLISECS(20)
#define BURST_MAX	 256 /* bytes taken at once: a stuck UART must not hold a CPU */

/* 115200 baud send 16 characters in 1.4 ms; a UART that takes longer than this many reads is dead. */
#define TX_SPINS 200000

static u16 port; /* 0: none */
static unsigned int irq;
static struct timer poll_timer;

static bool wait_for_fifo(void)
{
	for (unsigned int i = 0; i < TX_SPINS; i++) {
		if (inb(port + UART_LSR) & LSR_THRE)
			return true;
		__asm__ __volatile__("pause");
	}
	return false;
}

/* Reads the line status once for a whole FIFO, so that an emulated UART costs one exit a character. */
static void serial_write(const char *s, size_t len)
{
	unsigned int room = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned int need = s[i] == '\n' ? 2 : 1;

		if (room < need) {
			if (!wait_for_fifo())
				return;
			room = FIFO_SIZE;
		}
		if (s[i] == '\n')
			outb(port + UART_DATA, '\r');
		outb(port + UART_DATA, (u8)s[i]);
		room -= need;
	}
}

void serial_receive(void)
{
	for (unsigned int i = 0; i < BURST_MAX && (inb(port + UART_LSR) & LSR_DATA); i++)
		console_rx((char)inb(port + UART_DATA));
}

static bool uart_exists(void)
{
	outb(port + UART_SCRATCH, 0x5a);
	if (inb(port + UART_SCRATCH) != 0x5a)
		return false;
	outb(port + UART_SCRATCH, 0xa5);
	return inb(port + UART_SCRATCH) == 0xa5;
}

void __init serial_init(void)
{
	unsigned int baud = 0;

	if (!strcmp(boot_options.console, "com1")) {
		baud = boot_options.com1.baud;
		port = boot_options.com1.port;
		irq = boot_options.com1.irq;
	} else if (!strcmp(boot_options.console, "com2")) {
		baud = boot_options.com2.baud;
		port = boot_options.com2.port;
		irq = boot_options.com2.irq;
	}
	if (!port)
		return;
	if (!uart_exists()) {
		port = 0;
		return;
	}
	outb(port + UART_IER, 0);
	outb(port + UART_FCR, FCR_ENABLE_CLEAR);
	if (baud && baud <= BASE_BAUD) {
		u16 divisor = (u16)(BASE_BAUD / baud);

		outb(port + UART_LCR, LCR_8N1 | LCR_DLAB);
		outb(port + UART_DATA, (u8)divisor);
		outb(port + UART_IER, (u8)(divisor >> 8));
	}
	outb(port + UART_LCR, LCR_8N1);
	outb(port + UART_MCR, MCR_DTR_RTS_OUT2);
	console_set_device(serial_write);
}

unsigned int serial_irq(void)
{
	return port ? irq : 0;
}

void serial_enable_irq(void)
{
	if (!port)
		return;
	serial_receive();
	outb(port + UART_IER, IER_RECEIVE);
}

static void poll(void *data)
{
	serial_receive();
	timer_set(&poll_timer, time_now() + POLL_NS);
}

void serial_enable_polling(void)
{
	if (!port)
		return;
	timer_init(&poll_timer, poll, NULL, smp_processor_id());
	timer_set(&poll_timer, time_now() + POLL_NS);
}
