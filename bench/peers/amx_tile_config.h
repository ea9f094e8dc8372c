/* GCC before 13 tells its optimizer that _tile_loadconfig reads eight bytes; it reads 64, and the stores
 * to the others are dropped: the first AMX product of llama.cpp is then an illegal instruction.
 * Included before everything else when the peer is built; costs nothing where the compiler is right. */
#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
static inline void trimtab_tile_loadconfig(const void *config) {
  __asm__ volatile("ldtilecfg\t%X0" ::"m"(*(const char(*)[64])config));
}
#define _tile_loadconfig trimtab_tile_loadconfig
#endif
