//! How the learning rate changes from step to step.

/// How the learning rate changes while training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls in a straight line from step to step, to 0 after the last: the
    /// steps are long while there is far to go, and short where the noise of the
    /// batches would keep the weights from settling.
    #[default]
    Linear,
    /// It falls along half a cosine, to 0 after the last step.
    ///
    /// # Source
    /// Loshchilov, Hutter, *SGDR: stochastic gradient descent with warm restarts*
    /// (ICLR 2017), equation 5, without a restart.
    Cosine,
    /// It rises along half a cosine from 1/25 of itself for the first 30 % of the
    /// steps, and falls along another to a 250,000th after the last.
    ///
    /// # Source
    /// Smith, Topin, *Super-convergence* (2018), with the values of fast.ai.
    OneCycle,
}

impl Schedule {
    /// The share of the learning rate at a step, counted from 0, of a run of
    /// `steps`, the first `warm_up` of which rise in a straight line.
    pub(crate) fn at(self, step: usize, steps: usize, warm_up: usize) -> f32 {
        if step < warm_up {
            return (step + 1) as f32 / (warm_up + 1) as f32;
        }
        let (step, steps) = (step - warm_up, steps - warm_up);
        match self {
            Self::Constant => 1.0,
            Self::Linear => (steps - step) as f32 / steps as f32,
            Self::Cosine => between(1.0, 0.0, step as f64 / steps as f64),
            Self::OneCycle => {
                const TOP: f64 = 0.3;
                let done = step as f64 / steps as f64;
                match done < TOP {
                    true => between(1.0 / 25.0, 1.0, done / TOP),
                    false => between(1.0, 1.0 / 250_000.0, (done - TOP) / (1.0 - TOP)),
                }
            }
        }
    }
}

/// From `start` to `end` along half a cosine, at `x` from 0 to 1.
fn between(start: f64, end: f64, x: f64) -> f32 {
    (end + (start - end) * 0.5 * (1.0 + cos_pi(x))) as f32
}

/// cos(π·x) for x from 0 to 1, to 12 digits: the cosine's power series, which at
/// most π/2 needs. The standard library's may round as a platform likes.
fn cos_pi(x: f64) -> f64 {
    if x > 0.5 {
        return -cos_pi(1.0 - x);
    }
    let square = (std::f64::consts::PI * x) * (std::f64::consts::PI * x);
    (1..=9).rev().fold(1.0, |series, k| 1.0 - series * square / f64::from((2 * k - 1) * (2 * k)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cos_pi_is_the_cosine() {
        for step in 0..=1_000 {
            let x = f64::from(step) / 1_000.0;
            let expected = (std::f64::consts::PI * x).cos();
            assert!((cos_pi(x) - expected).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn schedules_go_where_they_say() {
        let run = |schedule: Schedule, warm_up| -> Vec<f32> {
            (0..100).map(|step| schedule.at(step, 100, warm_up)).collect()
        };
        assert!(run(Schedule::Constant, 0).iter().all(|&share| share == 1.0));
        let linear = run(Schedule::Linear, 0);
        assert_eq!((linear[0], linear[50], linear[99]), (1.0, 0.5, 0.01));
        let cosine = run(Schedule::Cosine, 0);
        assert_eq!((cosine[0], cosine[50]), (1.0, 0.5));
        assert!(cosine[99] < 0.001 && cosine.is_sorted_by(|a, b| a > b));
        let cycle = run(Schedule::OneCycle, 0);
        assert_eq!((cycle[0], cycle[30]), (0.04, 1.0));
        assert!(cycle[..31].is_sorted_by(|a, b| a < b) && cycle[30..].is_sorted_by(|a, b| a > b));
        assert!(cycle[99] < 0.001);
        let warmed = run(Schedule::Cosine, 9);
        assert_eq!((warmed[0], warmed[4], warmed[9]), (0.1, 0.5, 1.0));
        assert!(warmed[9..].is_sorted_by(|a, b| a > b));
    }
}
