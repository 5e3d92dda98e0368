//! The connected components of a mask, numbered.

use crate::preprocess::grid::{Grid, Mask};

/// The number of the component at each pixel, from 1; 0 where there is none.
pub(super) struct Labels {
    pub(super) of: Grid<u32>,
    pub(super) count: usize,
}

/// Which pixels are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connectivity {
    /// Those that have a side in common.
    Four,
    /// Those that touch at a corner too.
    Eight,
}

/// Numbers the components of a mask, in the order in which rows meet them.
///
/// # Source
/// By runs of pixels and the first run of each component: He, Chao, Suzuki, *A
/// run-based two-scan labeling algorithm* (IEEE Transactions on Image Processing,
/// 2008).
pub(super) fn label(mask: &Mask, connectivity: Connectivity) -> Labels {
    // Runs of two rows have so many columns in common at least.
    let common = match connectivity {
        Connectivity::Four => 1,
        Connectivity::Eight => 0,
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut before = 0..0;
    for y in 0..mask.height {
        let first = runs.len();
        let mut above = before.start;
        for (start, end) in runs_of(mask.row(y)) {
            let number = runs.len();
            runs.push(Run { row: y, start, end, first: number });
            // Those above it that end before it are of no later run either.
            while above < before.end && runs[above].end < start + common {
                above += 1;
            }
            let mut at = above;
            while at < before.end && runs[at].start + common <= end {
                let (a, b) = (root(&runs, at), root(&runs, number));
                runs[a.max(b)].first = a.min(b);
                at += 1;
            }
        }
        before = first..runs.len();
    }
    let mut of = Grid::filled(mask.width, mask.height, 0_u32);
    let mut numbers: Vec<u32> = Vec::with_capacity(runs.len());
    let mut count = 0;
    for (at, run) in runs.iter().enumerate() {
        let number = if run.first == at {
            count += 1;
            count
        } else {
            numbers[run.first]
        };
        numbers.push(number);
        of.values[run.row * mask.width..][run.start..run.end].fill(number);
    }
    Labels { of, count: count as usize }
}

/// Pixels side by side in a row, and an earlier run of their component, or they
/// themselves.
struct Run {
    row: usize,
    start: usize,
    end: usize,
    first: usize,
}

fn root(runs: &[Run], mut at: usize) -> usize {
    while runs[at].first != at {
        at = runs[at].first;
    }
    at
}

/// The first pixel of each run of a row, and the one after it.
fn runs_of(row: &[bool]) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + row[from..].iter().position(|&ink| ink)?;
        from = row[start..].iter().position(|&ink| !ink).map_or(row.len(), |at| start + at);
        Some((start, from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::{drawn, random_mask};

    const BOTH: [Connectivity; 2] = [Connectivity::Four, Connectivity::Eight];

    /// The numbers, by flooding.
    fn flooded(mask: &Mask, connectivity: Connectivity) -> Grid<u32> {
        let mut of = Grid::filled(mask.width, mask.height, 0);
        let mut count = 0;
        for start in (0..mask.values.len()).filter(|&at| mask.values[at]) {
            count += u32::from(of.values[start] == 0);
            let mut open = vec![(start % mask.width, start / mask.width)];
            while let Some((x, y)) = open.pop() {
                if x < mask.width && y < mask.height && mask.at(x, y) && of.at(x, y) == 0 {
                    of.set(x, y, count);
                    let (left, above) = (x.wrapping_sub(1), y.wrapping_sub(1));
                    open.extend([(left, y), (x + 1, y), (x, above), (x, y + 1)]);
                    if connectivity == Connectivity::Eight {
                        open.extend([(left, above), (x + 1, above)]);
                        open.extend([(left, y + 1), (x + 1, y + 1)]);
                    }
                }
            }
        }
        of
    }

    #[test]
    fn touching_pixels_have_one_number() {
        let mask = drawn(&["#.#..", ".#..#", "....#", "##..."]);
        let labels = label(&mask, Connectivity::Eight);
        assert_eq!(labels.count, 3);
        assert_eq!(label(&mask, Connectivity::Four).count, 5);
        assert_eq!(labels.of.at(0, 0), labels.of.at(2, 0));
        assert!(labels.of.at(4, 1) != labels.of.at(0, 3) && labels.of.at(1, 0) == 0);

        // As by flooding from each first pixel, however the mask looks.
        for (share, seed) in [(0.2, 4), (0.4, 5), (0.6, 6), (0.9, 7)] {
            let mask = random_mask(61, 47, share, seed);
            for connectivity in BOTH {
                assert_eq!(label(&mask, connectivity).of, flooded(&mask, connectivity));
            }
        }
    }
}
