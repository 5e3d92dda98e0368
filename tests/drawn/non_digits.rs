//! Pictures of what is no digit.

use digit_recognizer::Picture;

use super::Condition;
use super::camera::board;
use super::glyph::{Glyph, Point, smooth};
use super::letters;
use super::paper::{Paper, gray};
use super::printed::empty_paper;
use super::random::{Field, Random};
use super::scene::{any_colour, photographed, sides, white_paper};

/// What a picture without a digit shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonDigit {
    /// One colour, or nothing at all on a transparent canvas.
    Blank,
    /// Paper or a board with nothing on it, in light that is not even.
    EmptyPage,
    /// Noise of many kinds.
    Noise,
    Letter,
    Sign,
    /// Loops, zigzags, hatching, something struck out.
    Scribble,
}

impl NonDigit {
    pub(crate) const ALL: [Self; 6] =
        [Self::Blank, Self::EmptyPage, Self::Noise, Self::Letter, Self::Sign, Self::Scribble];

    pub(crate) fn picture(self, index: usize) -> Picture {
        let random = &mut Random::of(&format!("{self:?}"), index);
        match self {
            Self::Blank => blank(random, index),
            Self::EmptyPage => empty_page(random),
            Self::Noise => noise(random),
            Self::Letter => drawn(&letters::letter(random), index),
            Self::Sign => drawn(&letters::sign(random), index),
            Self::Scribble => drawn(&scribble(random), index),
        }
    }
}

/// The conditions in which letters, signs and scribbles are drawn: those whose
/// digits can be told at once.
pub(crate) const CONDITIONS: [Condition; 8] = [
    Condition::MnistForm,
    Condition::Paint,
    Condition::Paint28,
    Condition::Marker,
    Condition::Photo,
    Condition::Inverted,
    Condition::Coloured,
    Condition::Chalk,
];

fn drawn(glyph: &Glyph, index: usize) -> Picture {
    CONDITIONS[index % CONDITIONS.len()].picture(glyph, index)
}

fn blank(random: &mut Random, index: usize) -> Picture {
    let page = sides(random);
    let colour = match index % 4 {
        0 => gray(255.0),
        1 => gray(0.0),
        2 => any_colour(random),
        _ => {
            let [red, green, blue] = any_colour(random).map(|channel| channel as u8);
            let rgba = [red, green, blue, 0].repeat(page.0 * page.1);
            return Picture::from_rgba8(page.0, page.1, rgba).expect("a whole page");
        }
    };
    let paper = Paper::new(page, colour);
    if random.chance(0.5) { paper.jpeg(random.between(3.0, 90.0) as u8) } else { paper.picture() }
}

fn empty_page(random: &mut Random) -> Picture {
    let page = sides(random);
    let mut paper = match random.below(3) {
        0 => Paper::new(page, white_paper(random)),
        1 => empty_paper(random, page),
        _ => board(random, page),
    };
    paper.stain(random, 60, 3.0);
    let (fall, vignette) = (random.between(0.0, 0.8), random.between(0.0, 0.4));
    paper.lit_from_a_side(random, fall, vignette);
    if random.chance(0.3) {
        let (depth, softness) = (random.between(0.4, 0.8), random.between(0.01, 0.3));
        paper.shaded(random, depth, softness);
    }
    photographed(random, paper)
}

fn noise(random: &mut Random) -> Picture {
    let page = sides(random);
    let mut paper = Paper::new(page, gray(random.between(20.0, 235.0)));
    match random.below(4) {
        // A sensor's, from hardly seen to all there is.
        0 => {
            let (amount, coloured) = (random.between(1.0, 80.0), random.chance(0.5));
            paper.noisy(random, amount, coloured);
        }
        1 => {
            let share = random.between(0.001, 0.5);
            let dots = random.below(2) as f32 * 255.0;
            paper.each(|_, _, pixel| {
                if random.chance(share) {
                    *pixel = gray(dots);
                }
            });
        }
        // Clouds, coarse to fine.
        2 => {
            for cells in [2, 5, 12, 30] {
                let amount = random.between(0.0, 60.0);
                paper.stain(random, cells, amount);
            }
        }
        // Black and white patches.
        _ => {
            let cells = random.choose(&[6, 12, 25]);
            let field = Field::new(random, cells);
            paper.each(|x, y, pixel| *pixel = gray(if field.at(x, y) > 0.1 { 0.0 } else { 255.0 }));
        }
    }
    if random.chance(0.5) { paper.jpeg(random.between(10.0, 90.0) as u8) } else { paper.picture() }
}

fn scribble(random: &mut Random) -> Glyph {
    let mut point = |spread: f32| (random.between(0.0, spread), random.between(0.0, 1.0));
    let wander: Vec<Point> = (0..12).map(|_| point(1.0)).collect();
    let strokes = match random.below(4) {
        // A wild line.
        0 => vec![smooth(&wander)],
        // A zigzag from left to right.
        1 => {
            let turns = 6 + random.below(8);
            let height = random.between(0.2, 1.0);
            let turn = |number: usize| {
                let up = if number.is_multiple_of(2) { 0.0 } else { height };
                (number as f32 / turns as f32, up + random.between(-0.1, 0.1) * height)
            };
            vec![(0..=turns).map(turn).collect()]
        }
        // Hatching.
        2 => {
            let lines = 5 + random.below(8);
            let line = |number: usize| {
                let at = number as f32 / lines as f32;
                let jitter = random.between(-0.05, 0.05);
                vec![(at + jitter, 0.0), (at + 0.4 - jitter, 0.9 + 2.0 * jitter)]
            };
            (0..lines).map(line).collect()
        }
        // Loops over loops, as one strikes out.
        _ => {
            let loops = 8 + random.below(12);
            let corner = |number: usize| {
                let along = number as f32 / (4 * loops) as f32 * 1.2;
                let (x, y) = [(0.0, 0.3), (0.12, 0.0), (0.25, 0.3), (0.12, 0.6)][number % 4];
                (along + x + random.between(-0.04, 0.04), y + random.between(-0.1, 0.1))
            };
            vec![smooth(&(0..4 * loops).map(corner).collect::<Vec<Point>>())]
        }
    };
    Glyph::from_strokes(strokes)
}
