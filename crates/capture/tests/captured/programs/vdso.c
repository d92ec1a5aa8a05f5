/* Reads the functions that the kernel mapped into it, as runtimes without a C library do: every symbol of a function has to
   lie within the mapping, be found by its name, and work. Prints what is wrong, or `whole` and the second of the clock. */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

static int mapped(uintptr_t *from, uintptr_t *to) {
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long a, b;
        if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &a, &b) == 2) {
            if (!*from) *from = a;
            *to = b;
        }
    }
    if (maps) fclose(maps);
    return *from != 0;
}

int main(void) {
    uintptr_t base = getauxval(AT_SYSINFO_EHDR), from = 0, to = 0;
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)base;
    if (!mapped(&from, &to) || base != from || memcmp(head->e_ident, ELFMAG, SELFMAG)) return puts("no image"), 1;
    const Elf64_Phdr *parts = (const Elf64_Phdr *)(base + head->e_phoff);
    const Elf64_Dyn *dynamic = NULL;
    for (int i = 0; i < head->e_phnum; i++)
        if (parts[i].p_type == PT_DYNAMIC) dynamic = (const Elf64_Dyn *)(base + parts[i].p_offset);
    const Elf64_Sym *symbols = NULL;
    const char *names = NULL;
    const uint32_t *hash = NULL, *gnu = NULL;
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        uintptr_t at = base + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_SYMTAB) symbols = (const Elf64_Sym *)at;
        if (dynamic->d_tag == DT_STRTAB) names = (const char *)at;
        if (dynamic->d_tag == DT_HASH) hash = (const uint32_t *)at;
        if (dynamic->d_tag == DT_GNU_HASH) gnu = (const uint32_t *)at;
    }
    if (!symbols || !names || (!hash && !gnu)) return puts("no symbols"), 1;
    /* The strings follow the symbols. */
    long count = hash ? hash[1] : ((const char *)names - (const char *)symbols) / (long)sizeof *symbols;
    int (*gettime)(clockid_t, struct timespec *) = NULL;
    for (long i = 1; i < count; i++) {
        if (ELF64_ST_TYPE(symbols[i].st_info) != STT_FUNC) continue;
        uintptr_t at = base + symbols[i].st_value;
        if (at < from || at >= to) return printf("%s is outside\n", names + symbols[i].st_name), 1;
        if (!strcmp(names + symbols[i].st_name, "__vdso_clock_gettime")) gettime = (void *)at;
    }
    struct timespec now;
    if (!gettime || gettime(CLOCK_REALTIME, &now)) return puts("no clock"), 1;
    printf("whole\n%lld\n", (long long)now.tv_sec);
    return 0;
}
