//! What is written: pen strokes, or an image of MNIST and the strokes along the
//! middle of its ink.

/// A point, x to the right and y down.
pub(crate) type Point = (f32, f32);

/// A digit, a letter or a scribble, in a square of side 1 around the origin. Its
/// longer side is 1.
#[derive(Clone)]
pub(crate) struct Glyph {
    /// Polylines; one of a single point is a dot.
    pub(crate) strokes: Vec<Vec<Point>>,
    /// Width and height.
    pub(crate) extent: (f32, f32),
    pub(crate) bitmap: Option<Bitmap>,
}

impl Glyph {
    /// Strokes at any place and of any size, y down.
    ///
    /// # Panics
    /// If there is no point.
    pub(crate) fn from_strokes(mut strokes: Vec<Vec<Point>>) -> Self {
        let points = || strokes.iter().flatten();
        assert!(points().next().is_some(), "a point in the strokes");
        let range = |of: fn(&Point) -> f32| {
            let low = points().map(of).fold(f32::INFINITY, f32::min);
            let high = points().map(of).fold(f32::NEG_INFINITY, f32::max);
            (low, high)
        };
        let ((left, right), (top, bottom)) = (range(|p| p.0), range(|p| p.1));
        let side = (right - left).max(bottom - top).max(1e-6);
        let centre = ((left + right) / 2.0, (top + bottom) / 2.0);
        for point in strokes.iter_mut().flatten() {
            *point = ((point.0 - centre.0) / side, (point.1 - centre.1) / side);
        }
        Self { strokes, extent: ((right - left) / side, (bottom - top) / side), bitmap: None }
    }

    /// An image of MNIST, 28×28, ink 255.
    pub(crate) fn from_mnist(pixels: &[u8]) -> Self {
        let bitmap = Bitmap::new(pixels);
        let strokes = bitmap.middle_lines();
        let extent = bitmap.extent;
        Self { strokes, extent, bitmap: Some(bitmap) }
    }
}

/// Cuts the corners of a polyline twice (Chaikin, *An algorithm for high-speed
/// curve generation*, 1974); its ends stay.
pub(crate) fn smooth(points: &[Point]) -> Vec<Point> {
    let cut = |points: &[Point]| -> Vec<Point> {
        let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
            return Vec::new();
        };
        let between = |a: Point, b: Point, t: f32| (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t);
        let corners = points
            .windows(2)
            .flat_map(|pair| [between(pair[0], pair[1], 0.25), between(pair[0], pair[1], 0.75)]);
        std::iter::once(first).chain(corners).chain([last]).collect()
    };
    cut(&cut(points))
}

/// An image of MNIST that can be asked at any point.
#[derive(Clone)]
pub(crate) struct Bitmap {
    /// 0 paper to 1 ink.
    pixels: Vec<f32>,
    /// Pixels of the longer side of the ink.
    pub(crate) side: f32,
    centre: Point,
    extent: (f32, f32),
}

const SIDE: usize = 28;

impl Bitmap {
    fn new(pixels: &[u8]) -> Self {
        assert_eq!(pixels.len(), SIDE * SIDE, "pixels of an image of MNIST");
        let inked = |at: &usize| pixels[*at] > 64;
        let columns: Vec<usize> = (0..pixels.len()).filter(inked).map(|at| at % SIDE).collect();
        let rows: Vec<usize> = (0..pixels.len()).filter(inked).map(|at| at / SIDE).collect();
        let range = |of: &[usize]| match (of.iter().min(), of.iter().max()) {
            (Some(&low), Some(&high)) => (low as f32, high as f32 + 1.0),
            _ => panic!("ink in the image"),
        };
        let ((left, right), (top, bottom)) = (range(&columns), range(&rows));
        let side = (right - left).max(bottom - top);
        Self {
            pixels: pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect(),
            side,
            centre: ((left + right) / 2.0, (top + bottom) / 2.0),
            extent: ((right - left) / side, (bottom - top) / side),
        }
    }

    /// The ink at a point of the glyph's square, by cubic interpolation (Keys,
    /// *Cubic convolution interpolation for digital image processing*, 1981).
    pub(crate) fn at(&self, point: Point) -> f32 {
        let x = point.0 * self.side + self.centre.0 - 0.5;
        let y = point.1 * self.side + self.centre.1 - 0.5;
        let weights = |t: f32| {
            let (t2, t3) = (t * t, t * t * t);
            [
                -0.5 * t + t2 - 0.5 * t3,
                1.0 - 2.5 * t2 + 1.5 * t3,
                0.5 * t + 2.0 * t2 - 1.5 * t3,
                -0.5 * t2 + 0.5 * t3,
            ]
        };
        let (column, row) = (x.floor(), y.floor());
        let (across, down) = (weights(x - column), weights(y - row));
        let mut sum = 0.0;
        for (dy, down) in (-1..3).zip(down) {
            for (dx, across) in (-1..3).zip(across) {
                let (column, row) = (column as i32 + dx, row as i32 + dy);
                if (0..SIDE as i32).contains(&column) && (0..SIDE as i32).contains(&row) {
                    sum += self.pixels[row as usize * SIDE + column as usize] * across * down;
                }
            }
        }
        sum
    }

    /// Short strokes along the middle of the ink.
    fn middle_lines(&self) -> Vec<Vec<Point>> {
        const FINE: usize = 3 * SIDE;
        let to_point = |x: f32, y: f32| {
            let scale = SIDE as f32 / FINE as f32;
            let x = (x * scale - self.centre.0) / self.side;
            (x, (y * scale - self.centre.1) / self.side)
        };
        let mut ink = vec![false; FINE * FINE];
        for y in 1..FINE - 1 {
            for x in 1..FINE - 1 {
                ink[y * FINE + x] = self.at(to_point(x as f32 + 0.5, y as f32 + 0.5)) > 0.5;
            }
        }
        thin(&mut ink, FINE);

        let cells: Vec<usize> = (0..ink.len()).filter(|&at| ink[at]).collect();
        let number = |at: usize| cells.binary_search(&at).ok();
        let mut links = Vec::new();
        for (from, &at) in cells.iter().enumerate() {
            // To the right, down, and diagonally where no corner joins them.
            links.extend([at + 1, at + FINE].into_iter().filter_map(number).map(|to| (from, to)));
            for (to, corners) in
                [(at + FINE + 1, [at + 1, at + FINE]), (at + FINE - 1, [at - 1, at + FINE])]
            {
                if !corners.iter().any(|&corner| ink[corner]) {
                    links.extend(number(to).map(|to| (from, to)));
                }
            }
        }
        let mut points: Vec<Point> = cells
            .iter()
            .map(|at| to_point((at % FINE) as f32 + 0.5, (at / FINE) as f32 + 0.5))
            .collect();
        for _ in 0..4 {
            relax(&mut points, &links);
        }
        let mut strokes: Vec<Vec<Point>> =
            links.iter().map(|&(from, to)| vec![points[from], points[to]]).collect();
        if strokes.is_empty() {
            strokes = points.iter().map(|&point| vec![point]).collect();
        }
        strokes
    }
}

/// Moves each point half the way to the middle of its neighbours; ends stay.
fn relax(points: &mut [Point], links: &[(usize, usize)]) {
    let mut sums = vec![(0.0, 0.0, 0.0); points.len()];
    for &(from, to) in links {
        for (here, there) in [(from, to), (to, from)] {
            let sum: &mut (f32, f32, f32) = &mut sums[here];
            *sum = (sum.0 + points[there].0, sum.1 + points[there].1, sum.2 + 1.0);
        }
    }
    for (point, (x, y, count)) in points.iter_mut().zip(sums) {
        if count > 1.0 {
            *point = ((point.0 + x / count) / 2.0, (point.1 + y / count) / 2.0);
        }
    }
}

/// Thins ink to lines (Zhang and Suen, *A fast parallel algorithm for thinning
/// digital patterns*, 1984). The outermost cells are paper.
fn thin(ink: &mut [bool], side: usize) {
    loop {
        let mut changed = false;
        for first in [true, false] {
            let gone: Vec<usize> = (0..ink.len())
                .filter(|&at| {
                    if !ink[at] {
                        return false;
                    }
                    // Clockwise from the cell above.
                    let around = [
                        at - side,
                        at - side + 1,
                        at + 1,
                        at + side + 1,
                        at + side,
                        at + side - 1,
                        at - 1,
                        at - side - 1,
                    ]
                    .map(|at| ink[at]);
                    let inked = around.iter().filter(|&&ink| ink).count();
                    let starts = (0..8).filter(|&i| !around[i] && around[(i + 1) % 8]).count();
                    let [up, _, right, _, down, _, left, _] = around;
                    let side = if first {
                        !(up && right && down) && !(right && down && left)
                    } else {
                        !(up && right && left) && !(up && down && left)
                    };
                    (2..=6).contains(&inked) && starts == 1 && side
                })
                .collect();
            changed |= !gone.is_empty();
            for at in gone {
                ink[at] = false;
            }
        }
        if !changed {
            return;
        }
    }
}
