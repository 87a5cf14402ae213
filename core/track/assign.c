#include "track/assign.h"

#include <math.h>
#include <stdbool.h>

/* The problem as it is solved: each row has a column of its own beside the real ones, where it stays alone
 * for `limit`. So there is always a solution, and no cost has to stand for infinity. */
struct problem {
    const double *costs;
    size_t rows, columns;
    double limit;
    double *row_price, *column_price, *distance; /* duals; length of the shortest path to a column */
    int *row_of, *before;                        /* of a column: its row or -1; the row the path comes from */
    int *column_of;                              /* of a row, or -1 */
    bool *done;
};

size_t vd_assign_scratch_size(size_t rows, size_t columns)
{
    size_t all = rows + columns;
    return rows * sizeof(double) + all * (2 * sizeof(double) + 2 * sizeof(int) + sizeof(bool));
}

static struct problem lay_out(const double *costs, size_t rows, size_t columns, void *scratch)
{
    struct problem p = {.costs = costs, .rows = rows, .columns = columns};
    size_t all = rows + columns;
    p.row_price = scratch;
    p.column_price = p.row_price + rows;
    p.distance = p.column_price + all;
    p.row_of = (int *)(p.distance + all);
    p.before = p.row_of + all;
    p.done = (bool *)(p.before + all);
    return p;
}

static void begin(struct problem *p)
{
    for (size_t i = 0; i < p->rows; i++) {
        p->row_price[i] = 0;
        p->column_of[i] = -1;
    }
    for (size_t j = 0; j < p->rows + p->columns; j++) {
        p->column_price[j] = 0;
        p->row_of[j] = -1;
    }
}

/* Shortens the paths by going on from `row`, which was reached at `base`. */
static void relax(struct problem *p, size_t row, double base)
{
    const double *costs = p->costs + row * p->columns;
    for (size_t j = 0; j < p->columns; j++) {
        double length = base + costs[j] - p->row_price[row] - p->column_price[j];
        if (!p->done[j] && costs[j] < p->limit && length < p->distance[j]) {
            p->distance[j] = length;
            p->before[j] = (int)row;
        }
    }
    size_t alone = p->columns + row;
    double length = base + p->limit - p->row_price[row] - p->column_price[alone];
    if (!p->done[alone] && length < p->distance[alone]) {
        p->distance[alone] = length;
        p->before[alone] = (int)row;
    }
}

static size_t nearest(const struct problem *p)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t j = 0; j < p->rows + p->columns; j++)
        if (!p->done[j] && p->distance[j] < least) {
            least = p->distance[j];
            best = j;
        }
    return best;
}

/* Turns the path that ends in a free column: each row on it moves over to the column it led to. */
static void turn(struct problem *p, int column, int start_row)
{
    for (int row = -1; row != start_row;) {
        row = p->before[column];
        int left = p->column_of[row];
        p->row_of[column] = row;
        p->column_of[row] = column;
        column = left;
    }
}

/* Finds a column for one more row; rows before it may move over. */
static void add_row(struct problem *p, size_t start)
{
    size_t all = p->rows + p->columns, column;
    for (size_t j = 0; j < all; j++) {
        p->distance[j] = INFINITY;
        p->done[j] = false;
    }
    double reached = 0;
    relax(p, start, 0);
    for (;;) {
        column = nearest(p);
        reached = p->distance[column];
        p->done[column] = true;
        if (p->row_of[column] < 0)
            break;
        relax(p, (size_t)p->row_of[column], reached);
    }
    p->row_price[start] += reached;
    for (size_t j = 0; j < all; j++)
        if (p->done[j] && j != column) {
            p->row_price[p->row_of[j]] += reached - p->distance[j];
            p->column_price[j] -= reached - p->distance[j];
        }
    turn(p, (int)column, (int)start);
}

void vd_assign(const double *costs, size_t rows, size_t columns, double limit, void *scratch,
               int *ret_columns)
{
    struct problem p = lay_out(costs, rows, columns, scratch);
    p.limit = limit;
    p.column_of = ret_columns;
    begin(&p);
    for (size_t i = 0; i < rows; i++)
        add_row(&p, i);
    for (size_t i = 0; i < rows; i++)
        if (ret_columns[i] >= (int)columns)
            ret_columns[i] = -1;
}
