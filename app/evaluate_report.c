#include "evaluate_report.h"

#include <stdbool.h>
#include <string.h>

#include "json_line.h"

static bool occurs(const vd_class_figures *of)
{
    return of->labels > 0;
}

/* --- Words */

static void print_class(FILE *stream, const vd_labels *labels, const vd_class_figures *of)
{
    fprintf(stream, "  %-16s %6d %6d   %.4f   %.4f\n", vd_labels_name(labels, of->class_id), of->labels,
            of->found, of->ap50, of->ap50_95);
}

/* What is taken for what most often; the right ones are left out. */
static void print_mistakes(FILE *stream, const vd_labels *labels, const vd_evaluation_figures *figures)
{
    enum { SHOWN = 8 };
    int below = 0, shown = 0;
    for (size_t i = 0; i < figures->confusion_count; i++)
        below = figures->confusion[i].count > below ? figures->confusion[i].count : below;
    for (; below > 0 && shown < SHOWN; below--)
        for (size_t i = 0; i < figures->confusion_count && shown < SHOWN; i++) {
            const vd_confusion_cell *cell = &figures->confusion[i];
            if (cell->count != below || cell->truth < 0 || cell->found < 0 || cell->truth == cell->found)
                continue;
            fprintf(stream, "%s  %-16s taken for %s, %d times\n", shown ? "" : "\n",
                    vd_labels_name(labels, cell->truth), vd_labels_name(labels, cell->found), cell->count);
            shown++;
        }
}

void cli_evaluate_words(FILE *stream, const cli_evaluate_report *report)
{
    const vd_evaluation_figures *figures = report->figures;
    const vd_labels *labels = vd_detector_labels(report->detector);
    const char *engine = vd_detector_engine(report->detector);
    fprintf(stream, "%s: %d pictures, %d labels of %d classes, %d detections from %.4g up\n", report->folder,
            figures->pictures, figures->labels, figures->labelled_classes, figures->detections,
            (double)report->thresholds.confidence);
    fprintf(stream, "%s%s%s, %.1f s\n", vd_detector_name(report->detector), *engine ? " by " : "", engine,
            report->seconds);
    fprintf(stream, "  mAP50     %.4f\n  mAP50-95  %.4f\n", figures->map50, figures->map50_95);
    fprintf(stream, "  best F1   %.4f at confidence %.3f (precision %.3f, recall %.3f)\n\n", figures->best_f1,
            figures->best_threshold, figures->best_precision, figures->best_recall);
    fprintf(stream, "  %-16s %6s %6s   %s     %s\n", "class", "labels", "found", "AP50", "AP50-95");
    for (size_t i = 0; i < figures->class_count; i++)
        if (occurs(&figures->classes[i]))
            print_class(stream, labels, &figures->classes[i]);
    print_mistakes(stream, labels, figures);
}

/* --- JSON */

/* A class' name as a key: one that an earlier class has as well gets its number behind it. */
static void put_name(FILE *stream, const vd_labels *labels, int class_id)
{
    char text[96];
    const char *name = vd_labels_name(labels, class_id);
    bool alone = true;
    for (int i = 0; i < class_id && alone; i++)
        alone = strcmp(vd_labels_name(labels, i), name) != 0;
    snprintf(text, sizeof text, alone ? "%s" : "%s (class %d)", name, class_id);
    cli_json_text(stream, text);
}

static void put_classes(FILE *stream, const vd_labels *labels, const vd_evaluation_figures *figures,
                        const char *key, bool whole)
{
    bool first = true;
    fprintf(stream, ",\"%s\":{", key);
    for (size_t i = 0; i < figures->class_count; i++) {
        const vd_class_figures *of = &figures->classes[i];
        if (!occurs(of))
            continue;
        fputs(first ? "" : ",", stream);
        put_name(stream, labels, of->class_id);
        fprintf(stream, ":%.6f", whole ? of->ap50_95 : of->ap50);
        first = false;
    }
    fputc('}', stream);
}

static int cell_of(const vd_evaluation_figures *figures, int truth, int found)
{
    for (size_t i = 0; i < figures->confusion_count; i++)
        if (figures->confusion[i].truth == truth && figures->confusion[i].found == found)
            return figures->confusion[i].count;
    return 0;
}

/* Rows are what is there, columns what was found; the last row and the last column are nothing. */
static void put_confusion(FILE *stream, const vd_labels *labels, const vd_evaluation_figures *figures)
{
    size_t count = figures->class_count;
    fprintf(stream, ",\"confusion\":{\"confidence\":%.6g,\"iou\":%.6g,\"classes\":[",
            figures->confusion_score, figures->confusion_iou);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? "," : "", stream);
        put_name(stream, labels, figures->classes[i].class_id);
    }
    fputs("],\"matrix\":[", stream);
    for (size_t row = 0; row <= count; row++) {
        fputs(row ? ",[" : "[", stream);
        int truth = row < count ? figures->classes[row].class_id : -1;
        for (size_t column = 0; column <= count; column++) {
            int found = column < count ? figures->classes[column].class_id : -1;
            fprintf(stream, "%s%d", column ? "," : "", cell_of(figures, truth, found));
        }
        fputc(']', stream);
    }
    fputs("]}", stream);
}

void cli_evaluate_json(FILE *stream, const cli_evaluate_report *report)
{
    const vd_evaluation_figures *figures = report->figures;
    const vd_labels *labels = vd_detector_labels(report->detector);
    fputs("{\"folder\":", stream);
    cli_json_text(stream, report->folder);
    fputs(",\"model\":", stream);
    cli_json_text(stream, vd_detector_name(report->detector));
    if (*vd_detector_engine(report->detector)) {
        fputs(",\"engine\":", stream);
        cli_json_text(stream, vd_detector_engine(report->detector));
    }
    if (report->input_width > 0)
        fprintf(stream, ",\"input\":[%d,%d]", report->input_width, report->input_height);
    fprintf(stream, ",\"confidence\":%.6g,\"iou\":%.6g,\"images\":%d,\"labels\":%d,\"classes\":%d",
            (double)report->thresholds.confidence, (double)report->thresholds.iou, figures->pictures,
            figures->labels, figures->labelled_classes);
    fprintf(stream, ",\"detections\":%d,\"seconds\":%.3f", figures->detections, report->seconds);
    fprintf(stream, ",\"mAP50\":%.6f,\"mAP50-95\":%.6f", figures->map50, figures->map50_95);
    fprintf(stream, ",\"best_f1\":{\"threshold\":%.5f,\"f1\":%.6f,\"precision\":%.6f,\"recall\":%.6f}",
            figures->best_threshold, figures->best_f1, figures->best_precision, figures->best_recall);
    put_classes(stream, labels, figures, "AP50", false);
    put_classes(stream, labels, figures, "AP50-95", true);
    put_confusion(stream, labels, figures);
    fputs("}\n", stream);
}
