//! Digits as a pen draws them.

/// A point: x to the right, y downwards, each from -1 to 1.
pub(crate) type Point = (f64, f64);

/// Each digit's strokes.
pub(crate) fn digits() -> [Vec<Vec<Point>>; 10] {
    [
        vec![arc((0.0, 0.0), (0.55, 0.85), (-90.0, -450.0))],
        vec![line(&[(0.05, -0.9), (-0.05, 0.9)])],
        vec![join(&[
            arc((0.0, -0.4), (0.5, 0.48), (-160.0, 35.0)),
            line(&[(0.38, -0.1), (-0.55, 0.85), (0.6, 0.85)]),
        ])],
        vec![join(&[
            arc((0.0, -0.45), (0.45, 0.42), (-150.0, 90.0)),
            arc((0.0, 0.42), (0.52, 0.45), (-90.0, 150.0)),
        ])],
        vec![line(&[(0.2, -0.9), (-0.6, 0.25), (0.65, 0.25)]), line(&[(0.3, -0.35), (0.25, 0.9)])],
        vec![
            join(&[
                line(&[(-0.35, -0.85), (-0.4, -0.1)]),
                arc((-0.02, 0.35), (0.5, 0.5), (-130.0, 140.0)),
            ]),
            line(&[(-0.35, -0.85), (0.5, -0.85)]),
        ],
        vec![join(&[
            line(&[(0.3, -0.9), (-0.25, -0.3), (-0.45, 0.35)]),
            arc((0.0, 0.42), (0.45, 0.45), (170.0, -190.0)),
        ])],
        vec![line(&[(-0.55, -0.85), (0.55, -0.85), (-0.1, 0.9)])],
        vec![join(&[
            arc((0.0, -0.45), (0.4, 0.4), (0.0, -270.0)),
            arc((0.0, 0.42), (0.48, 0.46), (-90.0, 270.0)),
            arc((0.0, -0.45), (0.4, 0.4), (90.0, 0.0)),
        ])],
        vec![join(&[
            arc((0.0, -0.4), (0.45, 0.45), (0.0, -360.0)),
            line(&[(0.45, -0.4), (0.3, 0.9)]),
        ])],
    ]
}

/// Along an ellipse, from one angle to another in degrees; 0 is right, 90 below.
fn arc((x, y): Point, (width, height): Point, (from, to): (f64, f64)) -> Vec<Point> {
    const STEPS: u32 = 16;
    let angle = |step| (from + (to - from) * f64::from(step) / f64::from(STEPS)).to_radians();
    (0..=STEPS)
        .map(|step| (x + width * angle(step).cos(), y + height * angle(step).sin()))
        .collect()
}

fn line(corners: &[Point]) -> Vec<Point> {
    const STEPS: u32 = 6;
    let between = |pair: &[Point]| {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let at = move |step| f64::from(step) / f64::from(STEPS);
        let point = move |step| (x + (to_x - x) * at(step), y + (to_y - y) * at(step));
        (0..STEPS).map(point).collect::<Vec<_>>()
    };
    corners.windows(2).flat_map(between).chain(corners.last().copied()).collect()
}

fn join(parts: &[Vec<Point>]) -> Vec<Point> {
    parts.concat()
}
