//! Against the definition: naive loops in f64 with the standard library.

use super::*;

/// A byte for each index, without a pattern.
fn noise(index: usize) -> u8 {
    Rng::with_stream(9, index as u64).next_u64() as u8
}

/// The weights of the Gaussian from −3 σ to 3 σ.
fn gaussian(sigma: f64) -> Vec<f64> {
    let radius = (3.0 * sigma + 0.5) as i64;
    let density = |x: i64| (-0.5 * (x * x) as f64 / (sigma * sigma)).exp();
    let sum: f64 = (-radius..=radius).map(density).sum();
    (-radius..=radius).map(|x| density(x) / sum).collect()
}

/// The distorted image by its definition, 0 to 255.
fn oracle(
    augmentation: &Augmentation,
    (rows, cols): (usize, usize),
    image: &[u8],
    label: u8,
    rng: &mut Rng,
) -> Vec<f64> {
    let amounts = Amounts::draw(augmentation, label, rng);
    let (alpha, sigma) = (f64::from(augmentation.alpha), f64::from(augmentation.sigma));
    let mut bytes = Vec::new();
    while alpha > 0.0 && bytes.len() < 2 * rows * cols {
        bytes.extend(rng.next_u64().to_le_bytes());
    }
    let weights = gaussian(sigma);
    let radius = weights.len() as i64 / 2;
    let displacement = |field: usize, y: i64, x: i64| -> f64 {
        let mut sum = 0.0;
        for i in (y - radius).max(0)..=(y + radius).min(rows as i64 - 1) {
            for j in (x - radius).max(0)..=(x + radius).min(cols as i64 - 1) {
                let byte = bytes[field * rows * cols + i as usize * cols + j as usize];
                let weight =
                    weights[(i - y + radius) as usize] * weights[(j - x + radius) as usize];
                sum += weight * (f64::from(byte as i8) + 0.5) / 128.0;
            }
        }
        alpha * sum
    };
    let mut elastic = vec![[0.0; 2]; rows * cols];
    for (at, elastic) in elastic.iter_mut().enumerate().filter(|_| alpha > 0.0) {
        *elastic = [0, 1].map(|field| displacement(field, (at / cols) as i64, (at % cols) as i64));
    }
    let pixel = |y: i64, x: i64| -> f64 {
        let inside = (0..rows as i64).contains(&y) && (0..cols as i64).contains(&x);
        if inside { f64::from(image[y as usize * cols + x as usize]) } else { 0.0 }
    };
    let [width, height] = amounts.scaling.map(f64::from);
    let (sin, cos) = f64::from(amounts.rotation).to_radians().sin_cos();
    let slant = f64::from(amounts.shear).to_radians().tan();
    // M = rotation · shear · scaling, and M⁻¹ by Cramer's rule.
    let m =
        [[cos * width, (cos * slant - sin) * height], [sin * width, (sin * slant + cos) * height]];
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    let (cx, cy) = ((cols as f64 - 1.0) / 2.0, (rows as f64 - 1.0) / 2.0);
    let warped = |y: i64, x: i64| -> f64 {
        if !(0..rows as i64).contains(&y) || !(0..cols as i64).contains(&x) {
            return 0.0;
        }
        let u = x as f64 - cx - f64::from(amounts.shift[0]);
        let v = y as f64 - cy - f64::from(amounts.shift[1]);
        let [dx, dy] = elastic[y as usize * cols + x as usize];
        let sx = cx + (m[1][1] * u - m[0][1] * v) / determinant + dx;
        let sy = cy + (m[0][0] * v - m[1][0] * u) / determinant + dy;
        let mut value = 0.0;
        for i in sy.floor() as i64..=sy.floor() as i64 + 1 {
            for j in sx.floor() as i64..=sx.floor() as i64 + 1 {
                let weight = (1.0 - (sy - i as f64).abs()) * (1.0 - (sx - j as f64).abs());
                value += weight * pixel(i, j);
            }
        }
        value
    };
    let stroke = f64::from(amounts.stroke);
    let mut result = Vec::new();
    for y in 0..rows as i64 {
        for x in 0..cols as i64 {
            let around = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)];
            let around = around.map(|(dy, dx)| warped(y + dy, x + dx));
            let extreme = if stroke > 0.0 {
                around.into_iter().fold(0.0, f64::max)
            } else {
                around.into_iter().fold(255.0, f64::min)
            };
            result.push(around[0] + stroke.abs() * (extreme - around[0]));
        }
    }
    result
}

/// Everything at once.
const ALL: Augmentation = Augmentation {
    rotation: 30.0,
    shear: 20.0,
    scaling: 0.3,
    shift: 2.5,
    alpha: 34.0,
    sigma: 2.0,
    stroke: 0.7,
};

fn settings() -> [Augmentation; 7] {
    [
        ALL,
        Augmentation { rotation: 45.0, ..Augmentation::NONE },
        Augmentation { shear: 45.0, ..Augmentation::NONE },
        Augmentation { scaling: 0.5, ..Augmentation::NONE },
        Augmentation { shift: 9.0, ..Augmentation::NONE },
        Augmentation { stroke: 1.0, ..Augmentation::NONE },
        Augmentation::default(),
    ]
}

#[test]
fn images_are_distorted_by_the_definition() {
    for (rows, cols) in [(28, 28), (1, 1), (1, 9), (5, 33), (20, 32), (3, 65)] {
        let size = rows * cols;
        let images = [0, 1].map(|i| (i * size..(i + 1) * size).map(noise).collect::<Vec<u8>>());
        for (number, augmentation) in settings().into_iter().enumerate() {
            for level in Level::available() {
                let mut distorter = Distorter::new(augmentation, rows, cols, level);
                // The second image meets what the first one left.
                for (draw, image) in images.iter().enumerate() {
                    let mut rng = stream(3, number as u64, draw);
                    let expected = oracle(&augmentation, (rows, cols), image, 3, &mut rng.clone());
                    let mut result = vec![77; size];
                    distorter.distort(image, 3, &mut rng, &mut result);
                    for (at, (&found, expected)) in result.iter().zip(expected).enumerate() {
                        let error = (f64::from(found) - expected).abs();
                        // Half a step of the result's bytes, and rounding at a place
                        // where a pixel differs from its neighbour by up to 255.
                        assert!(
                            error < 0.52,
                            "{rows} x {cols}, setting {number}, {level}, pixel {at}: {found} for {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn every_level_has_the_same_bits() {
    let image: Vec<u8> = (0..28 * 28).map(noise).collect();
    for augmentation in settings() {
        let results = Level::available().map(|level| {
            let mut distorter = Distorter::new(augmentation, 28, 28, level);
            let mut results = Vec::new();
            for draw in 0..50 {
                let mut result = vec![0; 28 * 28];
                distorter.distort(&image, 8, &mut stream(1, 2, draw), &mut result);
                results.extend(result);
                // The bytes hide most of the bits before them.
                results.extend(distorter.stroke.bits());
            }
            results
        });
        let results: Vec<Vec<u8>> = results.collect();
        assert!(results.iter().all(|level| *level == results[0]));
    }
}

#[test]
fn a_shift_by_whole_pixels_moves_them() {
    let image: Vec<u8> = (0..6 * 7).map(noise).collect();
    let still = Amounts::draw(&Augmentation::NONE, 0, &mut Rng::new(1));
    let mut distorter = Distorter::new(Augmentation::NONE, 6, 7, Level::best());
    for (right, down) in [(0, 0), (2, 1), (-3, -2), (6, 0), (7, 0), (0, -6), (1000, -1000)] {
        let mut result = vec![0; 6 * 7];
        let amounts = Amounts { shift: [right as f32, down as f32], ..still };
        distorter.run(&image, &amounts, &mut result);
        for y in 0..6 {
            for x in 0..7 {
                let (sx, sy) = (x - right, y - down);
                let inside = (0..7).contains(&sx) && (0..6).contains(&sy);
                let expected = if inside { image[(sy * 7 + sx) as usize] } else { 0 };
                assert_eq!(result[(y * 7 + x) as usize], expected, "{right}, {down}: {x}, {y}");
            }
        }
    }
}

#[test]
fn a_dataset_is_distorted_image_by_image() {
    let pixels: Vec<u8> = (0..3 * 5 * 9).map(noise).collect();
    let images = Images::new(5, 9, pixels).expect("three images");
    let dataset = Dataset::new(images, vec![7, 2, 1]).expect("three labels");
    let distorted = ALL.apply(&dataset, 4, 6).expect("valid settings");
    for (index, &label) in dataset.labels().iter().enumerate() {
        let mut result = vec![0; 5 * 9];
        let mut rng = stream(4, 6, index);
        Distorter::new(ALL, 5, 9, Level::Portable).distort(
            dataset.images().image(index),
            label,
            &mut rng,
            &mut result,
        );
        assert_eq!(distorted.images().image(index), result);
    }
}

#[test]
fn amounts_fill_their_ranges() {
    for (label, slant) in (0..10).zip([1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0]) {
        let draws: Vec<Amounts> =
            (0..2_000).map(|image| Amounts::draw(&ALL, label, &mut stream(5, 1, image))).collect();
        let fills = |what: &str, middle: f32, limit: f32, amount: fn(&Amounts) -> f32| {
            let offsets: Vec<f32> = draws.iter().map(|draw| amount(draw) - middle).collect();
            assert!(offsets.iter().all(|offset| offset.abs() <= limit), "{what} of {label}");
            assert!(offsets.iter().any(|offset| *offset > 0.99 * limit), "{what} of {label}");
            assert!(offsets.iter().any(|offset| *offset < -0.99 * limit), "{what} of {label}");
            // The standard deviation of the mean is limit / √3 / √2000.
            let mean = offsets.iter().sum::<f32>() / 2_000.0;
            assert!(mean.abs() < 0.065 * limit, "{what} of {label}: {mean}");
        };
        fills("rotation", 0.0, slant * ALL.rotation, |draw| draw.rotation);
        fills("shear", 0.0, slant * ALL.shear, |draw| draw.shear);
        fills("width", 1.0, ALL.scaling, |draw| draw.scaling[0]);
        fills("height", 1.0, ALL.scaling, |draw| draw.scaling[1]);
        fills("shift right", 0.0, ALL.shift, |draw| draw.shift[0]);
        fills("shift down", 0.0, ALL.shift, |draw| draw.shift[1]);
        fills("stroke", 0.0, ALL.stroke, |draw| draw.stroke);
    }
}
