/* The assignment problem: rows to columns, one to one, at the least cost in all. */
#ifndef VD_TRACK_ASSIGN_H
#define VD_TRACK_ASSIGN_H

#include <stddef.h>

/* Bytes of scratch memory that vd_assign needs, for any number of rows and columns up to these. */
size_t vd_assign_scratch_size(size_t rows, size_t columns);

/* Shortest augmenting paths (Jonker & Volgenant, A shortest augmenting path algorithm for dense and sparse
 * linear assignment problems, Computing 38, 1987; for rectangular matrices after Crouse, On implementing 2D
 * rectangular assignment algorithms, IEEE TAES 52, 2016). A row that would cost `limit` or more stays alone:
 * the sum of the costs of pairs and of `limit` for each row without one is the least there is.
 *
 * costs        rows × columns, row by row, not negative; `limit` and above, infinity and NaN: the two never
 * go together scratch      aligned for double, vd_assign_scratch_size bytes ret_columns  room for each row:
 * its column or -1 */
void vd_assign(const double *costs, size_t rows, size_t columns, double limit, void *scratch,
               int *ret_columns);

#endif
