//! Pictures of a training and of its network, as SVG text.

#![allow(dead_code, reason = "each command uses a part")]

use std::ops::Range;

use digit_recognizer::reliability::ReliabilityBin;
use digit_recognizer::{ConfusionMatrix, Epoch, Reliability};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::shared::Result;

const FONT: &str = "sans-serif";
const BLUE: RGBColor = RGBColor(31, 96, 160);
const ORANGE: RGBColor = RGBColor(217, 107, 18);
const GREY: RGBColor = RGBColor(110, 110, 110);

/// The loss of each epoch on the left, the accuracies on the right.
pub(crate) fn learning_curve(history: &[Epoch]) -> Result<String> {
    let points = |value: fn(&Epoch) -> Option<f64>| -> Vec<(usize, f64)> {
        history.iter().filter_map(|epoch| Some((epoch.number, value(epoch)?))).collect()
    };
    let loss = points(|epoch| Some(epoch.loss));
    let training = points(|epoch| Some(100.0 * epoch.accuracy));
    let validation = points(|epoch| epoch.validation_accuracy.map(|share| 100.0 * share));
    let highest = loss.iter().map(|point| point.1).fold(1e-3, f64::max);
    let lowest = training.iter().chain(&validation).map(|point| point.1).fold(99.0, f64::min);

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (1000, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let (left, right) = root.split_horizontally(500);
    let upper = SeriesLabelPosition::UpperRight;
    draw_panel(&left, "loss (nats)", 0.0..1.05 * highest, upper, &[("training", BLUE, loss)])?;
    draw_panel(
        &right,
        "accuracy (%)",
        lowest.floor()..100.0,
        SeriesLabelPosition::LowerRight,
        &[("training", BLUE, training), ("validation", ORANGE, validation)],
    )?;
    root.present()?;
    drop((left, right, root));
    Ok(svg)
}

/// A line's name, colour and points (epoch, value).
type Line = (&'static str, RGBColor, Vec<(usize, f64)>);

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    values: Range<f64>,
    legend: SeriesLabelPosition,
    lines: &[Line],
) -> Result<()> {
    let last = lines.iter().flat_map(|line| &line.2).map(|point| point.0).max().unwrap_or(1);
    // The dots of many epochs would cover the line.
    let dot = if last > 50 { 0 } else { 3 };
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 20))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(52)
        // An axis has a length, also for a single epoch.
        .build_cartesian_2d(1..last.max(2), values)?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .x_labels(last.clamp(2, 10))
        .y_labels(8)
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .bold_line_style(GREY.mix(0.2))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (name, colour, points) in lines.iter().filter(|line| !line.2.is_empty()) {
        let colour = *colour;
        chart
            .draw_series(
                LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(dot),
            )?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(legend)
        .label_font((FONT, 14))
        .background_style(WHITE.mix(0.85))
        .border_style(GREY)
        .draw()?;
    Ok(())
}

/// The share of right answers by confidence, with the number of answers at each
/// point; on the grey line the two are the same.
pub(crate) fn reliability_diagram(reliability: &Reliability) -> Result<String> {
    let bins = reliability.bins();
    let percent = |bin: &ReliabilityBin| (100.0 * bin.confidence, 100.0 * bin.accuracy);
    let error = 100.0 * reliability.calibration_error();

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (520, 520)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("expected calibration error {error:.2} %"), (FONT, 20))
        .margin(20)
        .margin_right(50)
        .x_label_area_size(45)
        .y_label_area_size(55)
        .build_cartesian_2d(0.0..100.0, 0.0..100.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.25))
        .axis_style(GREY)
        .x_desc("mean confidence (%)")
        .y_desc("right answers (%)")
        .x_label_formatter(&|percent| format!("{percent:.0}"))
        .y_label_formatter(&|percent| format!("{percent:.0}"))
        .label_style((FONT, 14))
        .draw()?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (100.0, 100.0)], GREY.stroke_width(2)))?;
    let line = LineSeries::new(bins.iter().map(percent), BLUE.stroke_width(2));
    chart.draw_series(line.point_size(4))?;
    let below = (FONT, 12).into_font().color(&GREY).pos(Pos::new(HPos::Left, VPos::Top));
    chart.draw_series(bins.iter().map(|bin| {
        let count = Text::new(bin.count.to_string(), (5, 5), below.clone());
        EmptyElement::at(percent(bin)) + count
    }))?;
    root.present()?;
    drop((chart, root));
    Ok(svg)
}

/// A row for each label, a column for each answer; right answers in blue, wrong
/// ones in orange, darker for a larger share of the label's images.
pub(crate) fn confusion_matrix(confusion: &ConfusionMatrix, title: &str) -> Result<String> {
    const CELL: i32 = 52;
    const LEFT: i32 = 80;
    const TOP: i32 = 110;
    // A network has at most 256 classes.
    let side = CELL * confusion.classes() as i32;
    let (width, height) = (LEFT + side + 30, TOP + side + 30);
    let centred = |size: i32, colour: RGBColor| {
        (FONT, size).into_font().color(&colour).pos(Pos::new(HPos::Center, VPos::Center))
    };

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (width as u32, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title, (width / 2, 30), centred(20, BLACK)))?;
    root.draw(&Text::new("answer", (LEFT + side / 2, 68), centred(16, BLACK)))?;
    let upwards = centred(16, BLACK).transform(FontTransform::Rotate270);
    root.draw(&Text::new("label", (24, TOP + side / 2), upwards))?;

    for label in 0..confusion.classes() {
        let middle = CELL * label as i32 + CELL / 2;
        let name = label.to_string();
        root.draw(&Text::new(name.clone(), (LEFT - 20, TOP + middle), centred(16, BLACK)))?;
        root.draw(&Text::new(name, (LEFT + middle, TOP - 18), centred(16, BLACK)))?;
        let total = confusion.label_total(label).max(1) as f64;
        for answer in 0..confusion.classes() {
            let count = confusion.count(label, answer);
            let share = count as f64 / total;
            let (left, top) = (LEFT + CELL * answer as i32, TOP + CELL * label as i32);
            let cell = [(left, top), (left + CELL, top + CELL)];
            // Wrong answers are few: the root keeps a handful of them visible.
            let (colour, depth) =
                if label == answer { (BLUE, share) } else { (ORANGE, share.sqrt()) };
            root.draw(&Rectangle::new(cell, colour.mix(depth).filled()))?;
            root.draw(&Rectangle::new(cell, GREY.mix(0.4)))?;
            let ink = match (count, depth > 0.6) {
                (0, _) => RGBColor(190, 190, 190),
                (_, true) => WHITE,
                (_, false) => BLACK,
            };
            let at = (left + CELL / 2, top + CELL / 2);
            root.draw(&Text::new(count.to_string(), at, centred(15, ink)))?;
        }
    }
    root.present()?;
    drop(root);
    Ok(svg)
}
