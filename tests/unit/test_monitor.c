/* The monitor against what this program does itself, and cards against the double, which stands in
 * LD_LIBRARY_PATH. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "check_main.h"
#include "monitor/nvml.h"
#include "monitor/proc.h"
#include "vedette/app/monitor.h"
#include "vedette/error.h"

enum { MEBIBYTE = 1 << 20 };

static vd_monitor *monitor;
static vd_monitor_sample sample;

static void set_up(void)
{
    unsetenv("NVML_DOUBLE");
    ck_assert_int_eq(vd_monitor_new(&monitor), VD_OK);
    vd_monitor_take(monitor, &sample);
}

static void tear_down(void)
{
    vd_monitor_free(&monitor);
    ck_assert_ptr_null(monitor);
    vd_monitor_free(&monitor);
}

static void burn(int64_t cpu_ns)
{
    for (int64_t end = vd_monitor_cpu_ns() + cpu_ns; vd_monitor_cpu_ns() < end;)
        continue;
}

START_TEST(processor_time_is_what_was_burnt)
{
    ck_assert_double_eq(sample.process_cpu, 0);
    double before_s = sample.process_cpu_s;
    int64_t began_ns = vd_clock_now_ns();
    burn(100 * VD_NS_PER_MS);
    vd_monitor_take(monitor, &sample);
    double wall_s = (double)(vd_clock_now_ns() - began_ns) / (double)VD_NS_PER_S;
    ck_assert_double_ge(sample.process_cpu_s - before_s, 0.1);
    ck_assert_double_ge(sample.process_cpu, 0.1 / wall_s * 0.9);
    ck_assert_double_le(sample.process_cpu, 1.1); /* one thread */
    ck_assert_double_gt(sample.machine_cpu, 0);
    ck_assert_double_le(sample.machine_cpu, 1);
}
END_TEST

START_TEST(memory_that_is_touched_is_resident_and_the_peak_stays)
{
    enum { BYTES = 32 * MEBIBYTE };
    int64_t before = sample.resident_bytes;
    ck_assert_int_gt(before, 0);
    ck_assert_int_ge(sample.total_bytes, sample.available_bytes);
    ck_assert_int_gt(sample.available_bytes, 0);
    void *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    memset(memory, 1, BYTES);
    vd_monitor_take(monitor, &sample);
    ck_assert_int_ge(sample.resident_bytes - before, 31 * MEBIBYTE);
    ck_assert_int_ge(sample.peak_bytes, sample.resident_bytes - MEBIBYTE);
    int64_t peak = sample.peak_bytes;
    munmap(memory, BYTES);
    vd_monitor_take(monitor, &sample);
    ck_assert_int_ge(sample.peak_bytes, peak - MEBIBYTE); /* the kernel's counters are a few pages apart */
    if (vd_monitor_reset_peak()) {
        vd_monitor_take(monitor, &sample);
        ck_assert_int_le(sample.peak_bytes, peak - 16 * MEBIBYTE);
    }
}
END_TEST

START_TEST(cards_come_from_the_library)
{
    ck_assert_int_eq(sample.gpu_count, 2);
    ck_assert_str_eq(sample.gpus[0].name, "Double 4000");
    ck_assert_double_eq(sample.gpus[0].load, 0.37);
    ck_assert_int_eq(sample.gpus[0].used_bytes, 2LL << 30);
    ck_assert_int_eq(sample.gpus[0].total_bytes, 8LL << 30);
    ck_assert_str_eq(sample.gpus[1].name, "Double 8000");
    ck_assert_double_eq(sample.gpus[1].load, 1);
    vd_nvml *nvml;
    vd_gpu_sample one;
    ck_assert_int_eq(vd_nvml_open("libnvidia-ml.so.1", &nvml), VD_OK);
    ck_assert_int_eq(vd_nvml_take(nvml, &one, 1), 1);
    vd_nvml_close(&nvml);
    vd_nvml_close(&nvml);
}
END_TEST

START_TEST(a_card_that_says_less_costs_the_rest_nothing)
{
    setenv("NVML_DOUBLE", "load", 1);
    vd_monitor_take(monitor, &sample);
    ck_assert_int_eq(sample.gpu_count, 2);
    ck_assert_double_eq(sample.gpus[0].load, -1);
    ck_assert_int_eq(sample.gpus[0].used_bytes, 2LL << 30);
    setenv("NVML_DOUBLE", "lost", 1);
    vd_monitor_take(monitor, &sample);
    ck_assert_int_eq(sample.gpu_count, 1);
    ck_assert_double_eq(sample.gpus[0].load, 0.37);
}
END_TEST

START_TEST(without_driver_or_library_there_are_no_cards)
{
    vd_nvml *nvml = NULL;
    setenv("NVML_DOUBLE", "driver", 1);
    ck_assert_int_eq(vd_nvml_open("libnvidia-ml.so.1", &nvml), VD_EUNSUPPORTED);
    unsetenv("NVML_DOUBLE");
    ck_assert_int_eq(vd_nvml_open("libno-such-library.so.1", &nvml), VD_EUNSUPPORTED);
    ck_assert_int_eq(vd_nvml_open("libc.so.6", &nvml), VD_EUNSUPPORTED); /* loads, but is another */
    ck_assert_ptr_null(nvml);
}
END_TEST

START_TEST(the_library_is_given_back)
{
    vd_monitor_free(&monitor);
    ck_assert_ptr_null(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_NOLOAD));
}
END_TEST

START_TEST(the_machine_is_described)
{
    vd_machine machine;
    vd_machine_describe(&machine);
    ck_assert_int_ge(machine.cores, 1);
    ck_assert_int_eq(machine.memory_bytes, sample.total_bytes);
    ck_assert_ptr_null(strchr(machine.instructions, '\n'));
}
END_TEST

START_TEST(lines_are_found_by_their_beginning)
{
    static const char text[] = "VmPeak: 9 kB\nxVmHWM: 7\nVmHWM:\t  1234 kB\nmodel name\t: A  processor \n";
    char words[32];
    ck_assert_int_eq(vd_proc_number(text, "VmHWM:"), 1234);
    ck_assert_int_eq(vd_proc_number(text, "VmPeak:"), 9);
    ck_assert_int_eq(vd_proc_number(text, "VmRSS:"), 0);
    ck_assert_int_eq(vd_proc_number("", "VmRSS:"), 0);
    vd_proc_words(text, "model name", words, sizeof words);
    ck_assert_str_eq(words, "A  processor");
    vd_proc_words(text, "flags", words, sizeof words);
    ck_assert_str_eq(words, "");
    ck_assert(!vd_proc_read("/proc/no-such-file", words, sizeof words));
    ck_assert_str_eq(words, "");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("monitor");
    TCase *figures = tcase_create("figures");
    tcase_add_checked_fixture(figures, set_up, tear_down);
    tcase_add_test(figures, processor_time_is_what_was_burnt);
    tcase_add_test(figures, memory_that_is_touched_is_resident_and_the_peak_stays);
    tcase_add_test(figures, cards_come_from_the_library);
    tcase_add_test(figures, a_card_that_says_less_costs_the_rest_nothing);
    tcase_add_test(figures, without_driver_or_library_there_are_no_cards);
    tcase_add_test(figures, the_library_is_given_back);
    tcase_add_test(figures, the_machine_is_described);
    tcase_add_test(figures, lines_are_found_by_their_beginning);
    suite_add_tcase(suite, figures);
    return suite;
}

TEST_MAIN(make_suite)
