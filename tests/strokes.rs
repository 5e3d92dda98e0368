//! From a pen's strokes to the 28×28 image.

use digit_recognizer::{DigitImage, Error, SIDE, Strokes, unipen};
use proptest::prelude::*;

type Line = Vec<(f32, f32)>;

fn strokes(strokes: &[Line]) -> Strokes {
    Strokes::new(strokes.to_vec()).expect("strokes")
}

fn drawn(lines: &[Line], pen_width: f32) -> DigitImage {
    strokes(lines).draw(pen_width).expect("a width that is allowed")
}

/// A 2, an arc of many points and straight lines: a shape without symmetry.
fn two() -> Vec<Line> {
    let mut points: Line = (0..=30)
        .map(|i| 3.3 + 0.14 * i as f32)
        .map(|angle: f32| (50.0 + 30.0 * angle.cos(), 40.0 + 28.0 * angle.sin()))
        .collect();
    points.extend([(20.0, 130.0), (90.0, 124.0)]);
    vec![points]
}

/// A 4 of two strokes.
fn four() -> Vec<Line> {
    vec![
        vec![(70.0, 10.0), (45.0, 45.0), (20.0, 80.0), (100.0, 80.0)],
        vec![(75.0, 45.0), (75.0, 130.0)],
    ]
}

fn mass(image: &DigitImage) -> f32 {
    image.pixels().iter().sum()
}

/// The centre of mass; that of MNIST's images is on average (14.5, 14.5).
fn centre(image: &DigitImage) -> (f32, f32) {
    let mean = |position: fn(usize) -> usize| {
        let moments = image.pixels().iter().enumerate();
        moments.map(|(i, ink)| (position(i) as f32 + 0.5) * ink).sum::<f32>() / mass(image)
    };
    (mean(|i| i % SIDE), mean(|i| i / SIDE))
}

/// The largest difference between two images, and the mean one.
fn difference(one: &DigitImage, other: &DigitImage) -> (f32, f32) {
    let pairs = one.pixels().iter().zip(other.pixels()).map(|(one, other)| (one - other).abs());
    (pairs.clone().fold(0.0, f32::max), pairs.sum::<f32>() / 784.0)
}

/// Samples a side of each pixel that the oracle takes.
const SAMPLES: usize = 16;

/// The same drawing by other means: the share of each pixel's samples that are
/// within half a pen's width of a line, scaled and centred by the samples.
fn oracle(lines: &[Line], pen_width: f64) -> Vec<f64> {
    let points: Vec<(f64, f64)> =
        lines.iter().flatten().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
    let least = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(f64::INFINITY, f64::min);
    let (left, top) = (least(|p| p.0), least(|p| p.1));
    let (right, bottom) = (-least(|p| -p.0), -least(|p| -p.1));
    let scale = (20.0 - pen_width) / (right - left).max(bottom - top);
    let inked = |x: f64, y: f64| {
        lines.iter().any(|line| {
            let at = |(px, py): (f32, f32)| {
                ((f64::from(px) - left) * scale - x, (f64::from(py) - top) * scale - y)
            };
            line.windows(2).any(|pair| {
                let ((ax, ay), (bx, by)) = (at(pair[0]), at(pair[1]));
                let (dx, dy) = (bx - ax, by - ay);
                let along = (-(ax * dx + ay * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
                (ax + along * dx).hypot(ay + along * dy) < pen_width / 2.0
            })
        })
    };
    // The samples of a canvas that holds the box, from its corner.
    let count = 25 * SAMPLES;
    let position = |index: usize| (index as f64 + 0.5) / SAMPLES as f64 - 2.5;
    let ink: Vec<(f64, f64)> = (0..count * count)
        .map(|i| (position(i % count), position(i / count)))
        .filter(|&(x, y)| inked(x, y))
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| ink.iter().map(of).sum::<f64>() / ink.len() as f64;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let mut pixels = vec![0.0; SIDE * SIDE];
    for (sample_x, sample_y) in &ink {
        let (column, row) = (sample_x - x + 14.5, sample_y - y + 14.5);
        pixels[row as usize * SIDE + column as usize] += 1.0 / (SAMPLES * SAMPLES) as f64;
    }
    pixels
}

#[test]
fn ink_is_the_share_of_a_pixel_that_the_pen_covers() {
    let seven = vec![vec![(0.0, 0.0), (50.0, 4.0), (22.0, 80.0)]];
    for lines in [two(), four(), seven] {
        for pen_width in [1.5_f32, 2.5, 4.0] {
            let image = drawn(&lines, pen_width);
            let expected = oracle(&lines, pen_width.into());
            let differences: Vec<f64> = expected
                .iter()
                .zip(image.pixels())
                .map(|(expected, &found)| (expected - f64::from(found)).abs())
                .collect();
            // The edge is a little softer than a pixel's area makes it. Where two lines
            // meet at a sharp angle, a pixel has the ink of the nearer one alone.
            let largest = differences.iter().copied().fold(0.0, f64::max);
            let off = differences.iter().filter(|&&difference| difference > 0.1).count();
            assert!(largest < 0.3 && off <= 5, "{largest}, {off} with {pen_width}\n{image}");
            let mean = differences.iter().sum::<f64>() / 784.0;
            assert!(mean < 0.007, "{mean} with {pen_width}");
            let whole: f64 = expected.iter().sum();
            assert!((f64::from(mass(&image)) / whole - 1.0).abs() < 0.02, "{whole}");
        }
    }
}

#[test]
fn the_longer_side_of_the_ink_is_20_pixels() {
    for pen_width in [1.0_f32, 2.5, 6.0] {
        // Upright in the middle of column 14, with round ends.
        let upright = drawn(&[vec![(3.0, 900.0), (3.0, 100.0)]], pen_width);
        let column: f32 = (0..SIDE).map(|y| upright.pixels()[y * SIDE + 14]).sum();
        // A pen as wide as the edge is soft is lighter than ink all along.
        let darkest = upright.pixels()[14 * SIDE + 14];
        assert!((column / darkest - 20.0).abs() < 0.1, "{column} with {pen_width}");
        let row: f32 = upright.pixels()[14 * SIDE..15 * SIDE].iter().sum();
        assert!((row - pen_width).abs() < 0.05, "{row} with {pen_width}");

        let level = drawn(&[vec![(100.0, 3.0), (900.0, 3.0)]], pen_width);
        let row: f32 = level.pixels()[14 * SIDE..15 * SIDE].iter().sum();
        assert!((row / darkest - 20.0).abs() < 0.1, "{row} with {pen_width}");
    }
}

#[test]
fn edges_are_a_little_softer_than_a_pixel() {
    let image = drawn(&[vec![(0.0, 0.0), (0.0, 9.0)]], 4.0);
    let row = &image.pixels()[14 * SIDE..15 * SIDE];
    // Distances of 1, 2 and 3 from the path, whose edge is at 2.
    let expected = [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0];
    for (ink, expected) in row[11..18].iter().zip(expected) {
        assert!((ink - expected).abs() < 0.001, "{row:?}");
    }
    let image = drawn(&[vec![(0.0, 0.0), (0.0, 9.0)]], 3.0);
    assert!((image.pixels()[14 * SIDE + 13] - (0.5 + 0.5 / 1.1)).abs() < 0.001);
    assert!((image.pixels()[14 * SIDE + 12] - (0.5 - 0.5 / 1.1)).abs() < 0.001);
}

#[test]
fn the_centre_of_mass_comes_to_the_middle() {
    for lines in [two(), four()] {
        for pen_width in [1.0, 2.5, 5.0] {
            let (x, y) = centre(&drawn(&lines, pen_width));
            assert!((x - 14.5).abs() < 0.05 && (y - 14.5).abs() < 0.05, "({x}, {y})");
        }
    }
}

#[test]
fn no_ink_leaves_the_image_however_far_off_its_centre_of_mass_is() {
    // A hair from a block whose other side is long: the centre of mass is near the block.
    let sideways = |x: f32| {
        let block = (0..20).flat_map(|i| [(0.0, 8.0 * i as f32), (x / 5.0, 8.0 * i as f32)]);
        [(x, 80.0), (0.0, 80.0)].into_iter().chain(block).collect::<Line>()
    };
    let turned = |line: Line| line.into_iter().map(|(x, y)| (y, x)).collect::<Line>();
    for x in [300.0, -300.0] {
        for line in [sideways(x), turned(sideways(x))] {
            let image = drawn(&[line], 1.0);
            // The round end of the hair touches the border and is whole.
            let all = mass(&image);
            let rows = image.pixels().chunks_exact(SIDE).take(27).skip(1);
            let inner: f32 = rows.map(|row| row[1..27].iter().sum::<f32>()).sum();
            assert!((0.4..1.2).contains(&(all - inner)), "{} of {all}\n{image}", all - inner);
            let (x, y) = centre(&image);
            assert!((x - 14.5).abs().max((y - 14.5).abs()) > 0.5, "({x}, {y})\n{image}");
        }
    }
}

#[test]
fn place_and_unit_mean_nothing() {
    let image = drawn(&two(), 2.5);
    for (scale, x, y) in [(1.0, 1000.0, -70.0), (0.01, 0.0, 0.0), (37.0, -5.0, 9.0)] {
        let moved: Vec<Line> = two()
            .iter()
            .map(|line| line.iter().map(|p| (p.0 * scale + x, p.1 * scale + y)).collect())
            .collect();
        let (largest, _) = difference(&image, &drawn(&moved, 2.5));
        assert!(largest < 1e-3, "{largest}");
    }
}

#[test]
fn the_order_of_drawing_means_nothing() {
    let mut backwards = four();
    backwards.reverse();
    backwards.iter_mut().for_each(|line| line.reverse());
    assert!(difference(&drawn(&four(), 2.5), &drawn(&backwards, 2.5)).0 < 1e-5);
    // Points on the way add nothing, nor do repeated ones.
    let points = vec![vec![(0.0, 0.0), (0.0, 0.0), (4.0, 8.0), (8.0, 16.0), (8.0, 16.0)]];
    let ends = vec![vec![(0.0, 0.0), (8.0, 16.0)]];
    assert!(difference(&drawn(&points, 2.5), &drawn(&ends, 2.5)).0 < 1e-5);
}

#[test]
fn strokes_are_not_connected() {
    let apart = drawn(&[vec![(0.0, 0.0), (0.0, 9.0)], vec![(9.0, 0.0), (9.0, 9.0)]], 2.0);
    assert!(apart.pixels()[14 * SIDE + 14] == 0.0, "{apart}");
}

#[test]
fn a_dot_is_as_large_as_the_pen() {
    for pen_width in [1.5_f32, 2.5, 6.0, 10.0] {
        let dot = drawn(&[vec![(300.0, 7.0)]], pen_width);
        let circle = std::f32::consts::PI / 4.0 * pen_width * pen_width;
        // The soft edge outside a small circle is longer than that inside.
        let excess = mass(&dot) / circle - 1.0;
        assert!((-0.01..0.4 / pen_width).contains(&excess), "{excess} with {pen_width}");
        assert_eq!(dot, drawn(&[vec![(1.0, 2.0); 3]], pen_width));
        let (x, y) = centre(&dot);
        assert!((x - 14.5).abs() < 0.01 && (y - 14.5).abs() < 0.01, "({x}, {y})");
    }
    // A dot beside a line, as in a corrected 1.
    let line = vec![(0.0, 0.0), (0.0, 90.0)];
    let alone = mass(&drawn(std::slice::from_ref(&line), 2.5));
    let with_dot = mass(&drawn(&[line, vec![(40.0, 45.0)]], 2.5));
    assert!((4.9..6.0).contains(&(with_dot - alone)), "{alone} {with_dot}");
}

#[test]
fn coordinates_may_be_as_large_or_small_as_f32_holds() {
    let line = |low: f32, high: f32| drawn(&[vec![(0.0, low), (0.0, high)]], 2.5);
    let usual = line(0.0, 9.0);
    assert!(difference(&usual, &line(f32::MIN, f32::MAX)).0 < 1e-5);
    assert!(difference(&usual, &line(0.0, f32::from_bits(1))).0 < 1e-5);
    // A line so short beside another that it is a point.
    let tiny = vec![(0.0, 0.0), (0.0, 1e-30), (1e-30, 0.0)];
    let both = drawn(&[tiny, vec![(0.0, 0.0), (0.0, 9.0)]], 2.5);
    assert!(difference(&usual, &both).0 < 1e-5);
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn drawing_gives_the_same_bits_on_every_machine() {
    let digits = unipen::load("fixtures/digits.unipen").expect("a fixture");
    let images = digits.iter().map(|digit| digit.strokes.draw(2.5).expect("a width"));
    let pixels: Vec<f32> = images.flat_map(|image| *image.pixels()).collect();
    let found = hash(pixels.iter().flat_map(|pixel| pixel.to_bits().to_le_bytes()));
    assert_eq!(found, 0x850a_bf71_3504_18f9, "{found:#018x}");
}

#[cfg(feature = "pretrained")]
#[test]
fn the_model_in_the_box_reads_strokes() {
    use digit_recognizer::Network;

    let network = Network::pretrained();
    for digit in unipen::load("fixtures/digits.unipen").expect("a fixture") {
        let prediction = network.recognize_strokes(&digit.strokes).expect("MNIST's preprocessing");
        assert_eq!(prediction.digit(), usize::from(digit.label), "{prediction:?}");
        let image = digit.strokes.draw(Strokes::PEN_WIDTH).expect("the default");
        assert_eq!(prediction, network.predict(&image));
    }
}

#[track_caller]
fn assert_mismatch(lines: Vec<Line>, parts: &[&str]) {
    let error = Strokes::new(lines).expect_err("a refusal");
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn strokes_that_cannot_be_drawn_are_refused() {
    assert_mismatch(vec![], &["strokes of a digit", "at least one", "none"]);
    assert_mismatch(vec![vec![(0.0, 0.0)], vec![]], &["points of a stroke", "none in stroke 1"]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let line = vec![(0.0, 0.0), (1.0, bad)];
        assert_mismatch(vec![vec![(0.0, 0.0)], line], &["finite", "point 1 of stroke 1"]);
        assert_mismatch(vec![vec![(bad, 0.0)]], &["finite", "point 0 of stroke 0"]);
    }
    let points = vec![(0.0, 0.0); 1 << 15];
    assert!(Strokes::new(vec![points.clone(); 2]).is_ok());
    assert_mismatch(vec![points.clone(), points, vec![(0.0, 0.0)]], &["at most 65536", "65537"]);
}

#[test]
fn a_pen_is_1_to_10_pixels_wide() {
    let four = strokes(&four());
    for bad in [0.99, 0.0, -2.0, 10.01, f32::NAN, f32::INFINITY] {
        let error = four.draw(bad).expect_err("a refusal");
        assert!(matches!(error, Error::InvalidConfig { field: "pen_width", .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("found {bad}")), "{error}");
    }
    assert!(four.draw(1.0).is_ok() && four.draw(10.0).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_finite_strokes_give_an_image_with_ink(
        lines in prop::collection::vec(
            prop::collection::vec((prop::num::f32::ANY, prop::num::f32::ANY), 1..8), 1..4),
        pen_width in 1.0_f32..=10.0,
    ) {
        match Strokes::new(lines.clone()) {
            Ok(strokes) => {
                let image = strokes.draw(pen_width).expect("a width that is allowed");
                prop_assert!(DigitImage::from_pixels(image.pixels()).is_ok());
                prop_assert!(image.pixels().iter().any(|&ink| ink > 0.2), "{lines:?}");
            }
            Err(_) => {
                prop_assert!(lines.iter().flatten().any(|p| !(p.0.is_finite() && p.1.is_finite())));
            }
        }
    }
}
