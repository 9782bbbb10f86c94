/* SPDX-License-Identifier: MIT */
/* The UART driver of the serial console. */
#include "x86/cpu/serial.h"

#include "hv/arch/time.h"
#include "hv/cmdline.h"
#include "hv/console.h"
#include "hv/percpu.h"
#include "hv/timer.h"
#include "lib/string.h"
#include "x86/cpu/regs.h"

/* Registers and bits of the 16550A (its data sheet). */
#define UART_DATA	 0 /* with DLAB: divisor low */
#define UART_IER	 1 /* with DLAB: divisor high */
#define UART_IIR	 2 /* read */
#define UART_FCR	 2 /* written */
#define UART_LCR	 3
#define UART_MCR	 4
#define UART_LSR	 5
#define UART_SCRATCH	 7
#define LCR_8N1		 0x03
#define LCR_DLAB	 0x80
#define FCR_ENABLE_CLEAR 0x87 /* FIFOs on and emptied, interrupt at 8 bytes or after a pause */
#define MCR_DTR_RTS_OUT2 0x0b
#define IER_RECEIVE	 0x01
#define IIR_FIFOS	 0xc0 /* the FIFOs exist and are on */
#define LSR_DATA	 0x01
#define LSR_THRE	 0x20 /* the transmit FIFO is empty */
#define FIFO_SIZE	 16
#define BASE_BAUD	 115200
#define POLL_NS		 MILLISECS(20)
#define BURST_MAX	 256 /* bytes read at once, so that a stuck UART cannot hang a CPU */

static u16 port; /* 0: none */
static unsigned int irq;
static unsigned int fifo_size;
static struct timer poll_timer;

static unsigned int transmit_room(void)
{
	return inb(port + UART_LSR) & LSR_THRE ? fifo_size : 0;
}

static void transmit(char c)
{
	outb(port + UART_DATA, (u8)c);
}

static struct console_device uart = { .room = transmit_room, .send = transmit };

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

/* Sets the baud rate; 0 keeps the firmware's. Returns the divisor of BASE_BAUD in use. */
static u16 __init set_divisor(unsigned int baud)
{
	u16 divisor = 0;

	outb(port + UART_LCR, LCR_8N1 | LCR_DLAB);
	if (baud && baud <= BASE_BAUD) {
		divisor = (u16)(BASE_BAUD / baud);
		outb(port + UART_DATA, (u8)divisor);
		outb(port + UART_IER, (u8)(divisor >> 8));
	} else {
		divisor = (u16)(inb(port + UART_DATA) | inb(port + UART_IER) << 8);
	}
	outb(port + UART_LCR, LCR_8N1);
	return divisor ? divisor : 1;
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
	fifo_size = (inb(port + UART_IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO_SIZE : 1;
	/*
	 * A character is ten bits with its frame. The shift register holds one character besides
	 * the FIFO's.
	 */
	uart.fill_time = SECONDS(10) * (fifo_size + 1) * set_divisor(baud) / BASE_BAUD;
	outb(port + UART_MCR, MCR_DTR_RTS_OUT2);
	console_set_device(&uart);
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
