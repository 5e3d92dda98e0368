//! Ink on a page: how much of each pixel it covers.

use super::glyph::{Glyph, Point};
use super::random::Random;

/// How much of each pixel is covered, 0 to 1, row by row.
#[derive(Clone)]
pub(crate) struct Coverage {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<f32>,
}

/// Where a glyph is on a page.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) centre: Point,
    /// Pixels that the glyph's unit takes across and down.
    pub(crate) size: (f32, f32),
    /// Cosine and sine of its turn.
    pub(crate) turn: (f32, f32),
}

/// With what it is written.
#[derive(Clone, Copy)]
pub(crate) enum Pen {
    /// A round tip of so many pixels.
    Round(f32),
    /// As it was scanned where that is known, and as by a round tip of so many
    /// pixels where not.
    AsWritten(f32),
}

impl Place {
    /// Somewhere on a page, all of it inside, its longer side a share from `low`
    /// to `high` of the page's shorter side; `pen` is a share of that size.
    pub(crate) fn somewhere(
        random: &mut Random,
        glyph: &Glyph,
        page: (usize, usize),
        (low, high): (f32, f32),
        pen: f32,
    ) -> Self {
        let size = random.between(low, high) * page.0.min(page.1) as f32;
        // As upright as people write: 7 degrees to either side.
        let sine = random.between(-0.12, 0.12);
        let turn = ((1.0 - sine * sine).sqrt(), sine);
        let (width, height) = glyph.extent;
        let reach = |along: f32, across: f32| {
            (along * turn.0 + across * turn.1.abs() + pen) * size / 2.0 + 1.0
        };
        let mut within = |side: usize, reach: f32| {
            let side = side as f32;
            if 2.0 * reach < side { random.between(reach, side - reach) } else { side / 2.0 }
        };
        let centre = (within(page.0, reach(width, height)), within(page.1, reach(height, width)));
        Self { centre, size: (size, size), turn }
    }

    /// The point of the page for a point of the glyph.
    fn of(&self, point: Point) -> Point {
        let (x, y) = (point.0 * self.size.0, point.1 * self.size.1);
        let (cosine, sine) = self.turn;
        (self.centre.0 + x * cosine - y * sine, self.centre.1 + x * sine + y * cosine)
    }

    /// The point of the glyph for a point of the page.
    fn back(&self, point: Point) -> Point {
        let (x, y) = (point.0 - self.centre.0, point.1 - self.centre.1);
        let (cosine, sine) = self.turn;
        ((x * cosine + y * sine) / self.size.0, (y * cosine - x * sine) / self.size.1)
    }

    fn enlarged(&self, factor: f32) -> Self {
        let times = |pair: (f32, f32)| (pair.0 * factor, pair.1 * factor);
        Self { centre: times(self.centre), size: times(self.size), turn: self.turn }
    }
}

impl Coverage {
    pub(crate) fn empty(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0.0; width * height] }
    }

    /// A page with one glyph.
    pub(crate) fn written(page: (usize, usize), glyph: &Glyph, place: &Place, pen: Pen) -> Self {
        // Where a pixel is a large part of the pen, many rays a pixel.
        const RAYS: usize = 4;
        if place.size.0.max(place.size.1) < 48.0 {
            let pen = match pen {
                Pen::Round(width) => Pen::Round(width * RAYS as f32),
                Pen::AsWritten(width) => Pen::AsWritten(width * RAYS as f32),
            };
            let mut fine = Self::empty(page.0 * RAYS, page.1 * RAYS);
            fine.write(glyph, &place.enlarged(RAYS as f32), pen);
            return fine.reduced(RAYS);
        }
        let mut coverage = Self::empty(page.0, page.1);
        coverage.write(glyph, place, pen);
        coverage
    }

    fn write(&mut self, glyph: &Glyph, place: &Place, pen: Pen) {
        match (pen, &glyph.bitmap) {
            (Pen::AsWritten(_), Some(bitmap)) => {
                // Edges one pixel soft, half way between paper and ink.
                let contrast = place.size.0.min(place.size.1) / bitmap.side;
                let reach = place.size.0.max(place.size.1);
                let (columns, rows) = self.around(&[place.centre], reach);
                for y in rows {
                    for x in columns.clone() {
                        let point = place.back((x as f32 + 0.5, y as f32 + 0.5));
                        let ink = 0.5 + (bitmap.at(point) - 0.5) * contrast.max(1.0);
                        self.cover(x, y, ink.clamp(0.0, 1.0));
                    }
                }
            }
            (Pen::Round(width) | Pen::AsWritten(width), _) => {
                for stroke in &glyph.strokes {
                    let points: Vec<Point> = stroke.iter().map(|&point| place.of(point)).collect();
                    self.polyline(&points, width);
                }
            }
        }
    }

    /// Draws a polyline with a round tip of `width` pixels.
    pub(crate) fn polyline(&mut self, points: &[Point], width: f32) {
        if let &[dot] = points {
            self.segment(dot, dot, width);
        }
        for pair in points.windows(2) {
            self.segment(pair[0], pair[1], width);
        }
    }

    fn segment(&mut self, from: Point, to: Point, width: f32) {
        // A line below one pixel is one pixel of less ink.
        let (reach, most) = (width.max(1.0) / 2.0 + 0.5, width.min(1.0));
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).max(1e-9);
        let (columns, rows) = self.around(&[from, to], reach);
        for y in rows {
            for x in columns.clone() {
                let (px, py) = (x as f32 + 0.5 - from.0, y as f32 + 0.5 - from.1);
                let along = ((px * dx + py * dy) / length).clamp(0.0, 1.0);
                let (ex, ey) = (px - along * dx, py - along * dy);
                let distance = (ex * ex + ey * ey).sqrt();
                self.cover(x, y, (reach - distance).clamp(0.0, 1.0) * most);
            }
        }
    }

    fn cover(&mut self, x: usize, y: usize, ink: f32) {
        let value = &mut self.values[y * self.width + x];
        *value = value.max(ink);
    }

    /// Columns and rows within `reach` of some points.
    fn around(
        &self,
        points: &[Point],
        reach: f32,
    ) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let range = |of: fn(&Point) -> f32, side: usize| {
            let low = points.iter().map(of).fold(f32::INFINITY, f32::min) - reach;
            let high = points.iter().map(of).fold(f32::NEG_INFINITY, f32::max) + reach;
            (low.floor().max(0.0) as usize).min(side)..(high.ceil().max(0.0) as usize).min(side)
        };
        (range(|p| p.0, self.width), range(|p| p.1, self.height))
    }

    /// The part with the ink, and a margin of as many pixels as there are.
    pub(crate) fn cropped(&self, margin: usize) -> Self {
        let inked = |at: &usize| self.values[*at] > 0.5;
        let span = |side: usize, of: &dyn Fn(usize) -> usize| {
            let places = (0..self.values.len()).filter(inked).map(of);
            let (first, last) =
                places.fold((side, 0), |(first, last), at| (first.min(at), last.max(at)));
            first.saturating_sub(margin)..(last + 1 + margin).min(side)
        };
        let columns = span(self.width, &|at| at % self.width);
        let rows = span(self.height, &|at| at / self.width);
        let mut part = Self::empty(columns.len(), rows.len());
        for (row, part) in rows.zip(part.values.chunks_exact_mut(columns.len())) {
            part.copy_from_slice(&self.values[row * self.width..][columns.clone()]);
        }
        part
    }

    /// Each `factor` × `factor` pixels as one.
    fn reduced(&self, factor: usize) -> Self {
        let mut small = Self::empty(self.width / factor, self.height / factor);
        for (at, value) in self.values.iter().enumerate() {
            let (x, y) = (at % self.width / factor, at / self.width / factor);
            small.values[y * small.width + x] += value / (factor * factor) as f32;
        }
        small
    }

    /// Without soft edges, as old drawing programs draw.
    pub(crate) fn hard(mut self) -> Self {
        for value in &mut self.values {
            *value = if *value >= 0.5 { 1.0 } else { 0.0 };
        }
        self
    }

    /// With ink times `share(x, y)`, for x and y from 0 to 1 across the page.
    pub(crate) fn textured(mut self, mut share: impl FnMut(f32, f32) -> f32) -> Self {
        let (width, height) = (self.width as f32, self.height as f32);
        for (at, value) in self.values.iter_mut().enumerate().filter(|(_, value)| **value > 0.0) {
            let (x, y) = ((at % self.width) as f32, (at / self.width) as f32);
            *value *= share(x / width, y / height).clamp(0.0, 1.0);
        }
        self
    }
}
