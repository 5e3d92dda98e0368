//! Connected components, and which of them are the digit.

use crate::preprocess::grid::{Grid, Mask, Plane};
use crate::preprocess::morphology::grown;

/// Parts of one digit, such as the bar of a 5, are nearer to each other than
/// this share of its longer side.
const NEAR: f32 = 0.16;

/// What touches the picture's border, such as the edge of the paper, weighs this
/// much less than what does not.
const AT_BORDER: f32 = 0.2;

/// Within the digit, a part with less than this share of its ink is a speck.
const SPECK: f32 = 0.01;

/// The number of the component at each pixel, from 1; 0 where there is none.
pub(super) struct Labels {
    pub(super) of: Grid<u32>,
    pub(super) count: usize,
}

/// A component's ink and extent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub(super) ink: f32,
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) top: usize,
    pub(super) bottom: usize,
}

impl Component {
    pub(super) fn longer_side(&self) -> usize {
        (self.right - self.left).max(self.bottom - self.top) + 1
    }

    fn touches_border(&self, of: &Mask) -> bool {
        self.left == 0 || self.top == 0 || self.right + 1 == of.width || self.bottom + 1 == of.height
    }
}

/// Numbers the components of a mask; pixels that touch at a corner are connected.
///
/// # Source
/// Flood filling: Gonzalez, Woods, *Digital image processing* (2008), section
/// 9.5.3.
pub(super) fn label(mask: &Mask) -> Labels {
    let (width, height) = (mask.width, mask.height);
    let mut of = Grid::filled(width, height, 0_u32);
    let mut count = 0;
    let mut open = Vec::new();
    for start in 0..mask.values.len() {
        if !mask.values[start] || of.values[start] > 0 {
            continue;
        }
        count += 1;
        of.values[start] = count;
        open.push(start);
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    let near = y * width + x;
                    if mask.values[near] && of.values[near] == 0 {
                        of.values[near] = count;
                        open.push(near);
                    }
                }
            }
        }
    }
    Labels { of, count: count as usize }
}

/// The ink and extent of each component, the first one's at 0.
pub(super) fn measure(labels: &Labels, mask: &Mask, contrast: &Plane) -> Vec<Component> {
    let empty = Component { ink: 0.0, left: usize::MAX, right: 0, top: usize::MAX, bottom: 0 };
    let mut components = vec![empty; labels.count];
    for y in 0..mask.height {
        for x in 0..mask.width {
            let label = labels.of.at(x, y) as usize;
            if label == 0 || !mask.at(x, y) {
                continue;
            }
            let component = &mut components[label - 1];
            component.ink += contrast.at(x, y);
            component.left = component.left.min(x);
            component.right = component.right.max(x);
            component.top = component.top.min(y);
            component.bottom = component.bottom.max(y);
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
    let parts = label(mask);
    if parts.count <= 1 {
        return mask.clone();
    }
    let measured = measure(&parts, mask, contrast);
    let weight = |component: &Component| {
        component.ink * if component.touches_border(mask) { AT_BORDER } else { 1.0 }
    };
    let heaviest = measured.iter().copied().reduce(|a, b| if weight(&b) > weight(&a) { b } else { a });
    let Some(heaviest) = heaviest else { return mask.clone() };
    let radius = (heaviest.longer_side() as f32 * NEAR / 2.0) as usize;
    // What is at the border joins no group but its own.
    let inner = parts.of.map(|part| {
        part > 0
            && (heaviest.touches_border(mask) || !measured[part as usize - 1].touches_border(mask))
    });
    let groups = label(&grown(&inner, radius.max(1)));
    let measured_groups = measure(&groups, &inner, contrast);
    let Some((best, group)) =
        measured_groups.iter().enumerate().reduce(|a, b| if weight(b.1) > weight(a.1) { b } else { a })
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
