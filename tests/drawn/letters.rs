//! A stroke font of the letters that nobody takes for a digit, and of signs.
//!
//! Left out are those that some people's digits look like: I, J, L, i, j, l, r
//! (1), C, D, O, Q, c, o, u (0), Z, z (2), E, e (3), Y, y (4), S, s (5), G, b, t
//! (6), B (8), a, g, q, p (9), and v.

use super::glyph::{Glyph, Point, smooth};
use super::random::{Field, Random};

enum Stroke {
    Straight(&'static [Point]),
    Curved(&'static [Point]),
}

use Stroke::{Curved, Straight};

const BOWL: Stroke =
    Curved(&[(0.0, 0.0), (0.45, 0.0), (0.6, 0.1), (0.6, 0.4), (0.45, 0.5), (0.0, 0.5)]);

const LETTERS: [&[Stroke]; 19] = [
    // A, F, H, K, M
    &[Straight(&[(0.0, 1.0), (0.35, 0.0), (0.7, 1.0)]), Straight(&[(0.12, 0.65), (0.58, 0.65)])],
    &[Straight(&[(0.6, 0.0), (0.0, 0.0), (0.0, 1.0)]), Straight(&[(0.0, 0.45), (0.5, 0.45)])],
    &[
        Straight(&[(0.0, 0.0), (0.0, 1.0)]),
        Straight(&[(0.65, 0.0), (0.65, 1.0)]),
        Straight(&[(0.0, 0.5), (0.65, 0.5)]),
    ],
    &[Straight(&[(0.0, 0.0), (0.0, 1.0)]), Straight(&[(0.6, 0.0), (0.0, 0.55), (0.65, 1.0)])],
    &[Straight(&[(0.0, 1.0), (0.05, 0.0), (0.4, 0.6), (0.75, 0.0), (0.8, 1.0)])],
    // N, P, R, T, U
    &[Straight(&[(0.0, 1.0), (0.0, 0.0), (0.65, 1.0), (0.65, 0.0)])],
    &[Straight(&[(0.0, 0.0), (0.0, 1.0)]), BOWL],
    &[Straight(&[(0.0, 0.0), (0.0, 1.0)]), BOWL, Straight(&[(0.25, 0.5), (0.65, 1.0)])],
    &[Straight(&[(0.0, 0.0), (0.8, 0.0)]), Straight(&[(0.4, 0.0), (0.4, 1.0)])],
    &[Curved(&[(0.0, 0.0), (0.0, 0.75), (0.08, 1.0), (0.62, 1.0), (0.7, 0.75), (0.7, 0.0)])],
    // V, W, X
    &[Straight(&[(0.0, 0.0), (0.38, 1.0), (0.76, 0.0)])],
    &[Straight(&[(0.0, 0.0), (0.25, 1.0), (0.5, 0.3), (0.75, 1.0), (1.0, 0.0)])],
    &[Straight(&[(0.0, 0.0), (0.7, 1.0)]), Straight(&[(0.7, 0.0), (0.0, 1.0)])],
    // d, f, h, k, m, n
    &[
        Curved(&[(0.5, 0.5), (0.3, 0.4), (0.0, 0.45), (0.0, 0.95), (0.3, 1.0), (0.5, 0.85)]),
        Straight(&[(0.52, 0.0), (0.52, 1.0)]),
    ],
    &[
        Curved(&[(0.55, 0.05), (0.4, 0.0), (0.25, 0.05), (0.25, 0.5), (0.25, 1.0)]),
        Straight(&[(0.0, 0.4), (0.5, 0.4)]),
    ],
    &[
        Straight(&[(0.0, 0.0), (0.0, 1.0)]),
        Curved(&[(0.0, 0.6), (0.2, 0.4), (0.5, 0.4), (0.5, 0.7), (0.5, 1.0)]),
    ],
    &[Straight(&[(0.0, 0.0), (0.0, 1.0)]), Straight(&[(0.45, 0.4), (0.0, 0.75), (0.5, 1.0)])],
    &[
        Straight(&[(0.0, 0.0), (0.0, 0.6)]),
        Curved(&[(0.0, 0.2), (0.2, 0.0), (0.4, 0.0), (0.4, 0.3), (0.4, 0.6)]),
        Curved(&[(0.4, 0.2), (0.6, 0.0), (0.8, 0.0), (0.8, 0.3), (0.8, 0.6)]),
    ],
    &[
        Straight(&[(0.0, 0.0), (0.0, 0.6)]),
        Curved(&[(0.0, 0.2), (0.2, 0.0), (0.45, 0.0), (0.5, 0.3), (0.5, 0.6)]),
    ],
];

const RING: Stroke = Curved(&[
    (0.5, 0.0),
    (0.0, 0.0),
    (0.0, 0.5),
    (0.0, 1.0),
    (0.5, 1.0),
    (1.0, 1.0),
    (1.0, 0.5),
    (1.0, 0.0),
    (0.5, 0.0),
]);

const SIGNS: [&[Stroke]; 12] = [
    // Triangle, star of one stroke, arrow, tick
    &[Straight(&[(0.5, 0.0), (1.0, 0.87), (0.0, 0.87), (0.5, 0.0)])],
    &[Straight(&[(0.2, 1.0), (0.5, 0.0), (0.8, 1.0), (0.0, 0.38), (1.0, 0.38), (0.2, 1.0)])],
    &[Straight(&[(0.0, 0.3), (1.0, 0.3)]), Straight(&[(0.7, 0.0), (1.0, 0.3), (0.7, 0.6)])],
    &[Straight(&[(0.0, 0.6), (0.3, 1.0), (1.0, 0.0)])],
    // A face, a square, a square that is crossed, a plus sign
    &[
        RING,
        Straight(&[(0.33, 0.33)]),
        Straight(&[(0.67, 0.33)]),
        Curved(&[(0.25, 0.62), (0.35, 0.8), (0.65, 0.8), (0.75, 0.62)]),
    ],
    &[Straight(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)])],
    &[
        Straight(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]),
        Straight(&[(0.15, 0.15), (0.85, 0.85)]),
        Straight(&[(0.85, 0.15), (0.15, 0.85)]),
    ],
    &[Straight(&[(0.5, 0.0), (0.5, 1.0)]), Straight(&[(0.0, 0.5), (1.0, 0.5)])],
    // A number sign, a heart, a house, an equals sign
    &[
        Straight(&[(0.35, 0.0), (0.25, 1.0)]),
        Straight(&[(0.75, 0.0), (0.65, 1.0)]),
        Straight(&[(0.05, 0.33), (1.0, 0.33)]),
        Straight(&[(0.0, 0.67), (0.95, 0.67)]),
    ],
    &[
        Curved(&[(0.5, 0.25), (0.4, 0.0), (0.0, 0.0), (0.0, 0.45), (0.5, 1.0)]),
        Curved(&[(0.5, 0.25), (0.6, 0.0), (1.0, 0.0), (1.0, 0.45), (0.5, 1.0)]),
    ],
    &[
        Straight(&[(0.0, 0.45), (0.5, 0.0), (1.0, 0.45)]),
        Straight(&[(0.1, 0.4), (0.1, 1.0), (0.9, 1.0), (0.9, 0.4)]),
    ],
    &[Straight(&[(0.0, 0.0), (0.9, 0.0)]), Straight(&[(0.0, 0.4), (0.9, 0.4)])],
];

/// One of the letters, as a hand writes it.
pub(crate) fn letter(random: &mut Random) -> Glyph {
    let letter = random.below(LETTERS.len());
    by_hand(random, LETTERS[letter])
}

/// One of the signs, as a hand draws it.
pub(crate) fn sign(random: &mut Random) -> Glyph {
    let sign = random.below(SIGNS.len());
    by_hand(random, SIGNS[sign])
}

/// Slanted, stretched and uneven, each stroke begun and ended a little off.
fn by_hand(random: &mut Random, strokes: &[Stroke]) -> Glyph {
    let (slant, stretch) = (random.between(-0.25, 0.25), random.between(0.75, 1.3));
    let (right, down) = (Field::new(random, 2), Field::new(random, 2));
    let strokes = strokes.iter().map(|stroke| {
        let points = match stroke {
            Straight(points) => fine(points),
            Curved(points) => fine(&smooth(points)),
        };
        let (dx, dy) = (random.between(-0.03, 0.03), random.between(-0.03, 0.03));
        let moved = |(x, y): Point| {
            let (x, y) = (x + 0.08 * right.at(x, y) + dx, y + 0.08 * down.at(x, y) + dy);
            ((x - slant * y) * stretch, y)
        };
        points.into_iter().map(moved).collect()
    });
    Glyph::from_strokes(strokes.collect())
}

/// With points so near each other that a straight line can be bent.
fn fine(points: &[Point]) -> Vec<Point> {
    let Some(&last) = points.last() else { return Vec::new() };
    let parts = |pair: &[Point]| {
        let (from, to) = (pair[0], pair[1]);
        (0..8).map(move |part| {
            let t = part as f32 / 8.0;
            (from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t)
        })
    };
    points.windows(2).flat_map(parts).chain([last]).collect()
}
