//! Which connected components are the digit.

use crate::preprocess::bounds::Bounds;
use crate::preprocess::distance::distance;
use crate::preprocess::grid::{Grid, Mask, Plane, quantile};
use crate::preprocess::labels::{Connectivity, Labels, label};
use crate::preprocess::morphology::grown;

/// Parts of one digit, such as the bar of a 5, are nearer to each other than
/// this share of its longer side.
const NEAR: f32 = 0.16;

/// What runs along the picture's border, such as a table beside the paper, is
/// hardly the digit: its weight falls with this power of the share of its edge
/// that is not at the border.
const AT_BORDER: i32 = 6;

/// Within the digit, a part with less than this share of its ink is a speck.
const SPECK: f32 = 0.01;

/// A part of a digit that is thinner than this share of its strokes is none.
const THIN: f32 = 0.25;

/// A box has this share of its ink within such a share of its sides from its
/// bounds; what is in it fills this share of it.
const ALONG: f32 = 0.9;
const RIM: f32 = 0.15;
const FILLED: f32 = 0.35;

/// A dotted line's dashes are so many times smaller than a digit; each has so many others
/// alike within so many times its length, on a line that leans at most by this slope.
const DASH: f32 = 4.0;
const ALIKE: usize = 3;
const ALONG_LINE: f32 = 10.0;
const LEAN: f32 = 0.06;

/// More small parts are grain.
const MOST_DASHES: usize = 400;

/// A component's ink and extent.
#[derive(Debug, Clone, Copy)]
struct Component {
    ink: f32,
    bounds: Bounds,
    /// Its pixels that have another one beside them, and those at the border.
    edge: usize,
    at_border: usize,
}

impl Component {
    fn touches_border(&self) -> bool {
        self.at_border > 0
    }

    /// The ink, where it is not along the border.
    fn weight(&self) -> f32 {
        let free = 1.0 - self.at_border as f32 / self.edge.max(1) as f32;
        (0..AT_BORDER).fold(self.ink, |weight, _| weight * free)
    }
}

/// The ink and extent of each component, the first one's at 0.
fn measure(labels: &Labels, mask: &Mask, contrast: &Plane) -> Vec<Component> {
    let empty = Component {
        ink: 0.0,
        bounds: Bounds { left: usize::MAX, right: 0, top: usize::MAX, bottom: 0 },
        edge: 0,
        at_border: 0,
    };
    let mut components = vec![empty; labels.count];
    for y in 0..mask.height {
        for x in 0..mask.width {
            let label = labels.of.at(x, y) as usize;
            if label == 0 || !mask.at(x, y) {
                continue;
            }
            let component = &mut components[label - 1];
            component.ink += contrast.at(x, y);
            let at_border = x == 0 || y == 0 || x + 1 == mask.width || y + 1 == mask.height;
            let inside =
                || mask.at(x - 1, y) && mask.at(x + 1, y) && mask.at(x, y - 1) && mask.at(x, y + 1);
            component.at_border += usize::from(at_border);
            component.edge += usize::from(at_border || !inside());
            let bounds = &mut component.bounds;
            bounds.left = bounds.left.min(x);
            bounds.right = bounds.right.max(x);
            bounds.top = bounds.top.min(y);
            bounds.bottom = bounds.bottom.max(y);
        }
    }
    components
}

/// The components that make up the digit: the heaviest group of near ones.
///
/// # Source
/// Grouping by a dilation: Serra, *Image analysis and mathematical morphology*
/// (1982), chapter II.
pub(super) fn digit(mask: &Mask, contrast: &Plane) -> Mask {
    let parts = label(mask, Connectivity::Eight);
    if parts.count <= 1 {
        return mask.clone();
    }
    let measured = measure(&parts, mask, contrast);
    let mut printed: Vec<bool> = (1..)
        .zip(&measured)
        .map(|(number, part)| is_frame(number, part, &measured, &parts.of))
        .collect();
    mark_dashes(&measured, &mut printed);
    let candidates = measured.iter().zip(&printed).filter(|(_, is_printed)| !**is_printed);
    let Some(heaviest) =
        candidates.map(|(part, _)| part).reduce(|a, b| if b.weight() > a.weight() { b } else { a })
    else {
        return mask.clone();
    };
    let radius = (heaviest.bounds.longer_side() as f32 * NEAR / 2.0) as usize;
    // What is at the border joins no group but its own.
    let inner = parts.of.map(|part| {
        part > 0
            && !printed[part as usize - 1]
            && (heaviest.touches_border() || !measured[part as usize - 1].touches_border())
    });
    let groups = label(&grown(&inner, radius.max(1)), Connectivity::Eight);
    let measured_groups = measure(&groups, &inner, contrast);
    let Some((best, group)) = measured_groups
        .iter()
        .enumerate()
        .reduce(|a, b| if b.1.weight() > a.1.weight() { b } else { a })
    else {
        return mask.clone();
    };
    let mut chosen = inner;
    for (at, chosen) in chosen.values.iter_mut().enumerate() {
        *chosen = *chosen
            && groups.of.values[at] as usize == best + 1
            && measured[parts.of.values[at] as usize - 1].ink >= SPECK * group.ink;
    }
    chosen
}

/// Whether a component is a printed box: all of it is along the sides of its
/// bounds, and another component is inside, about as high.
fn is_frame(number: u32, part: &Component, all: &[Component], of: &Grid<u32>) -> bool {
    let Bounds { left, right, top, bottom } = part.bounds;
    let (width, height) = (right - left + 1, bottom - top + 1);
    let (across, down) = (width as f32 * RIM, height as f32 * RIM);
    let inside = |other: &Component| {
        part.bounds.surrounds(&other.bounds)
            && other.bounds.longer_side() as f32 >= FILLED * width.min(height) as f32
            && other.ink >= FILLED * FILLED * part.ink
    };
    if !all.iter().any(inside) {
        return false;
    }
    let (mut count, mut along) = (0, 0);
    for y in top..=bottom {
        for x in left..=right {
            if of.at(x, y) == number {
                let from_side = (x - left).min(right - x) as f32;
                let from_end = (y - top).min(bottom - y) as f32;
                count += 1;
                along += usize::from(from_side < across || from_end < down);
            }
        }
    }
    along as f32 >= ALONG * count as f32
}

/// Marks the dashes of dotted lines: parts that are small beside the largest, and have
/// several alike in their row or column.
fn mark_dashes(parts: &[Component], marked: &mut [bool]) {
    let longest = parts.iter().map(|part| part.bounds.longer_side()).max().unwrap_or(0);
    let small = |part: &Component| DASH * part.bounds.longer_side() as f32 <= longest as f32;
    let dashes: Vec<usize> = (0..parts.len()).filter(|&at| small(&parts[at])).collect();
    if dashes.len() <= ALIKE || dashes.len() > MOST_DASHES {
        return;
    }
    let middle = |bounds: &Bounds| {
        ((bounds.left + bounds.right) as f32 / 2.0, (bounds.top + bounds.bottom) as f32 / 2.0)
    };
    for &at in &dashes {
        let (one, (x, y)) = (parts[at].bounds, middle(&parts[at].bounds));
        let length = one.longer_side() as f32;
        let (mut beside, mut below) = (0, 0);
        for &other in dashes.iter().filter(|&&other| other != at) {
            let (bounds, (other_x, other_y)) = (parts[other].bounds, middle(&parts[other].bounds));
            let differs = bounds.longer_side().abs_diff(one.longer_side()) as f32;
            let (across, down) = ((other_x - x).abs(), (other_y - y).abs());
            if differs <= 1.0 + 0.3 * length && across.max(down) <= ALONG_LINE * length + 3.0 {
                beside += usize::from(down <= 1.0 + LEAN * across);
                below += usize::from(across <= 1.0 + LEAN * down);
            }
        }
        let (width, height) = (one.right - one.left, one.bottom - one.top);
        marked[at] |=
            (beside >= ALIKE && width + 1 >= height) || (below >= ALIKE && height + 1 >= width);
    }
}

/// The width of the strokes where they are wide.
pub(super) fn stroke_width(mask: &Mask) -> f32 {
    let inside = distance(&mask.map(|ink| !ink), f32::MAX);
    let mut depths: Vec<f32> = inside.values.iter().copied().filter(|&depth| depth > 0.0).collect();
    2.0 * quantile(&mut depths, 0.9) - 1.0
}

/// The digit without what is much thinner than its strokes, such as pieces of a
/// line that passes through it.
///
/// # Source
/// Opening: Serra, *Image analysis and mathematical morphology* (1982), chapter II.
pub(super) fn without_thin_parts(mask: &Mask, contrast: &Plane, width: f32) -> Mask {
    let radius = (width * THIN / 2.0) as usize;
    if radius == 0 {
        return mask.clone();
    }
    let opened = grown(&grown(&mask.map(|ink| !ink), radius).map(|ink| !ink), radius + 1);
    let values = mask.values.iter().zip(&opened.values).map(|(&ink, &thick)| ink && thick);
    let mut thick = Mask { width: mask.width, height: mask.height, values: values.collect() };
    let chosen = digit(&thick, contrast);
    if chosen == thick {
        return chosen;
    }
    // Parts that were apart before are no pieces of what is thin.
    let parts = label(mask, Connectivity::Eight);
    let mut cut = vec![false; parts.count + 1];
    for (&part, &chosen) in parts.of.values.iter().zip(&chosen.values) {
        cut[part as usize] |= chosen;
    }
    for (at, thick) in thick.values.iter_mut().enumerate() {
        *thick &= chosen.values[at] || !cut[parts.of.values[at] as usize];
    }
    thick
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::drawn;

    fn full(mask: &Mask) -> Plane {
        mask.map(|ink| f32::from(u8::from(ink)))
    }

    #[test]
    fn near_parts_stay_and_specks_and_far_ones_go() {
        let mut mask = Mask::filled(100, 80, false);
        let mut fill = |columns: std::ops::Range<usize>, rows: std::ops::Range<usize>| {
            rows.for_each(|y| columns.clone().for_each(|x| mask.set(x, y, true)));
        };
        fill(30..36, 20..60);
        fill(38..50, 20..24);
        fill(40..41, 40..41);
        fill(80..90, 30..40);
        fill(0..100, 76..80);
        let found = digit(&mask, &full(&mask));
        assert!(found.at(32, 40) && found.at(45, 22), "the digit and its bar");
        assert!(!found.at(40, 40) && !found.at(85, 35) && !found.at(50, 78));
        // What is alone is the digit, at the border too.
        let alone = drawn(&["####", "...#"]);
        assert_eq!(digit(&alone, &full(&alone)), alone);
    }

    #[test]
    fn a_box_is_not_what_is_in_it() {
        let mut mask = Mask::filled(80, 80, false);
        for (x, y) in (10..70).flat_map(|y| (10..70).map(move |x| (x, y))) {
            let rim = x < 16 || y < 16 || x >= 64 || y >= 64;
            mask.set(x, y, rim || ((36..44).contains(&x) && (24..56).contains(&y)));
        }
        let found = digit(&mask, &full(&mask));
        assert!(found.at(40, 40) && !found.at(12, 40));
        // A ring around a dot is a digit with a speck.
        for (x, y) in (18..62).flat_map(|y| (18..62).map(move |x| (x, y))) {
            mask.set(x, y, (39..41).contains(&x) && (39..41).contains(&y));
        }
        let found = digit(&mask, &full(&mask));
        assert!(found.at(12, 40));
    }

    #[test]
    fn dotted_lines_go_and_the_parts_of_a_broken_stroke_stay() {
        let mut mask = Mask::filled(100, 100, false);
        let mut fill = |columns: std::ops::Range<usize>, rows: std::ops::Range<usize>| {
            rows.for_each(|y| columns.clone().for_each(|x| mask.set(x, y, true)));
        };
        fill(46..52, 30..70);
        let digit_only = 6 * 40;
        for at in (20..80).step_by(8) {
            fill(at..at + 4, 20..22);
            fill(at..at + 4, 76..78);
            fill(34..36, at + 2..at + 6);
        }
        assert_eq!(digit(&mask, &full(&mask)).count(), digit_only);
        // Of a stroke that is broken along a slope, each part is in another row.
        let mut broken = Mask::filled(100, 100, false);
        for at in 0..8 {
            for (x, y) in (0..5).flat_map(|y| (0..5).map(move |x| (x, y))) {
                broken.set(20 + 7 * at + x, 20 + 6 * at + y, true);
            }
        }
        (10..40).for_each(|y| (70..76).for_each(|x| broken.set(x, y, true)));
        assert!(digit(&broken, &full(&broken)).count() >= 8 * 25);
    }

    #[test]
    fn thin_parts_go() {
        let mut mask = Mask::filled(60, 60, false);
        (10..50).for_each(|y| (20..30).for_each(|x| mask.set(x, y, true)));
        (30..55).for_each(|x| mask.set(x, 25, true));
        let width = stroke_width(&mask);
        assert!((8.0..=11.0).contains(&width), "{width}");
        let found = without_thin_parts(&mask, &full(&mask), width);
        assert!(found.at(25, 12) && found.at(29, 40) && !found.at(40, 25));
    }
}
