hv-src += hypervisor/x86/pci/config.c
hv-src += hypervisor/x86/pci/pci.c hypervisor/x86/pci/msi.c
hv-src += hypervisor/x86/pci/pci_arch.c
