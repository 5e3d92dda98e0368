//! Tasks on all cores.
//!
//! A [`Pool`] keeps its threads between two calls, because a training step is
//! over in less time than it takes to start one. Tasks are dealt to threads by
//! number, so that a task's data stays in the cache of the core that had it last
//! time; a thread that has finished its own takes what others have not begun, so
//! that a core which is busy elsewhere holds nobody up. Which thread runs a task
//! never changes a result.

use std::any::Any;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How often a thread looks for work before it gives its core away, some
/// microseconds; and how often it does that before it sleeps.
const SPINS: usize = 2_000;
const YIELDS: usize = 200;

/// The most threads of a pool: more than any machine has cores.
pub(crate) const MAX_THREADS: usize = 1024;

/// The number of threads that the machine runs at once.
pub(crate) fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Some threads that wait for tasks; they end when it is dropped.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

/// What the threads of a pool share.
struct Shared {
    threads: usize,
    /// The number of the job in hand; a new number is a new job.
    generation: AtomicU32,
    job: Mutex<Job>,
    /// The next task of each thread.
    next: Vec<Next>,
    /// Tasks of the job in hand that are not done.
    remaining: AtomicUsize,
    stop: AtomicBool,
    /// The first panic of a task.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Workers that sleep until the next job.
    sleepers: Mutex<usize>,
    wake: Condvar,
}

/// The number of a job, and the next place in a thread's queue of its tasks, in one
/// word: a thread that comes late cannot take a task of a job that it has not seen.
/// On a cache line of its own, which other threads seldom touch.
#[repr(align(64))]
struct Next(AtomicU64);

/// The most kinds of tasks in a job.
const KINDS: usize = 3;

/// A job: its number, how many tasks of each kind, and what runs one, given its kind and its
/// number among those.
#[derive(Clone, Copy)]
struct Job {
    generation: u32,
    tasks: [usize; KINDS],
    run: *const (dyn Fn(usize, usize) + Sync),
}

// SAFETY: the function behind the pointer is `Sync`. It is called for a task that
// was taken only, and `Pool::run` keeps it alive until all of them are done.
unsafe impl Send for Job {}

impl Pool {
    /// A pool of `threads` threads, of which the caller's is one; at least one,
    /// and at most [`MAX_THREADS`].
    pub(crate) fn new(threads: usize) -> Self {
        let threads = threads.clamp(1, MAX_THREADS);
        let nothing: &(dyn Fn(usize, usize) + Sync) = &|_, _| ();
        let shared = Arc::new(Shared {
            threads,
            generation: AtomicU32::new(0),
            job: Mutex::new(Job { generation: 0, tasks: [0; KINDS], run: nothing }),
            next: (0..threads).map(|_| Next(AtomicU64::new(0))).collect(),
            remaining: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            panic: Mutex::new(None),
            sleepers: Mutex::new(0),
            wake: Condvar::new(),
        });
        let worker = |number| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().spawn(move || shared.work(number))
        };
        // Where the system gives no more threads, those that are there do it all.
        let workers = (1..threads).map_while(|number| worker(number).ok()).collect();
        Self { shared, workers }
    }

    /// Threads that tasks are dealt to, the caller's included.
    pub(crate) fn threads(&self) -> usize {
        self.shared.threads
    }

    /// Runs `run(index, item)` for each item, and returns when all are done.
    ///
    /// # Panics
    /// With the panic of a task, when all others have ended.
    pub(crate) fn run_each<T: Send>(
        &mut self,
        items: &mut [T],
        run: impl Fn(usize, &mut T) + Sync,
    ) {
        self.run_both((items, run), nothing());
    }

    /// Runs the tasks of two kinds, for each its items and what [runs](Self::run_each) one, and
    /// returns when all are done.
    ///
    /// # Panics
    /// With the panic of a task, when all others have ended.
    pub(crate) fn run_both<T: Send, U: Send>(
        &mut self,
        first: (&mut [T], impl Fn(usize, &mut T) + Sync),
        second: (&mut [U], impl Fn(usize, &mut U) + Sync),
    ) {
        self.run_all(first, second, nothing());
    }

    /// Runs the tasks of three kinds, and returns when all are done.
    ///
    /// # Panics
    /// With the panic of a task, when all others have ended.
    pub(crate) fn run_all<T: Send, U: Send, V: Send>(
        &mut self,
        (first, run_first): (&mut [T], impl Fn(usize, &mut T) + Sync),
        (second, run_second): (&mut [U], impl Fn(usize, &mut U) + Sync),
        (third, run_third): (&mut [V], impl Fn(usize, &mut V) + Sync),
    ) {
        let counts = [first.len(), second.len(), third.len()];
        let first = Items(first.as_mut_ptr());
        let (second, third) = (Items(second.as_mut_ptr()), Items(third.as_mut_ptr()));
        self.run(counts, |kind, index| match kind {
            // SAFETY: `index` is below the number of items, which stay borrowed until
            // `run` returns, and no other task of this kind has the same index.
            0 => run_first(index, unsafe { &mut *first.at(index) }),
            // SAFETY: as above.
            1 => run_second(index, unsafe { &mut *second.at(index) }),
            // SAFETY: as above.
            _ => run_third(index, unsafe { &mut *third.at(index) }),
        });
    }

    /// Runs `run(index, one, other, rows)` for each pair, and returns when all are done; `rows`
    /// is its [`share`] of those that all have.
    ///
    /// # Panics
    /// If there are not as many of both; or with the panic of a task, when all
    /// others have ended.
    pub(crate) fn run_pairs<T: Send, U: Send>(
        &mut self,
        ones: &mut [T],
        others: &mut [U],
        rows: Rows<'_>,
        run: impl Fn(usize, &mut T, &mut U, RowsShare<'_>) + Sync,
    ) {
        let shares = ones.len();
        let Rows { values, rows, width } = rows;
        let (len, values) = (values.len(), Items(values.as_mut_ptr()));
        let run_pair = |index: usize, one: &mut T, other: &mut U, _: &mut [()]| {
            let Range { start, end } = share(rows, shares, index);
            let (values, share) = (&values, start * width..end * width);
            run(index, one, other, RowsShare { values, len, panel: rows * width, share });
        };
        self.run_groups((ones, others, &mut []), run_pair, nothing());
    }

    /// Runs the tasks of two kinds, and returns when all are done: of the first, each has an
    /// item of `ones`, one of `others`, and its share of `many`, which is as large as each
    /// other's.
    ///
    /// # Panics
    /// If there are not as many of both, or they do not divide the others; or with the panic of
    /// a task, when all others have ended.
    pub(crate) fn run_groups<T: Send, U: Send, V: Send, W: Send>(
        &mut self,
        (ones, others, many): (&mut [T], &mut [U], &mut [V]),
        run: impl Fn(usize, &mut T, &mut U, &mut [V]) + Sync,
        second: (&mut [W], impl Fn(usize, &mut W) + Sync),
    ) {
        let groups = ones.len();
        assert_eq!(groups, others.len(), "pairs");
        assert!(many.len().is_multiple_of(groups.max(1)), "as many for each pair");
        let size = many.len() / groups.max(1);
        let (others, many) = (Items(others.as_mut_ptr()), Items(many.as_mut_ptr()));
        let run_group = |index: usize, one: &mut T| {
            // SAFETY: as above; there are as many others as ones.
            let other = unsafe { &mut *others.at(index) };
            // SAFETY: as above; there are so many for each of the ones.
            let many = unsafe { std::slice::from_raw_parts_mut(many.at(index * size), size) };
            run(index, one, other, many);
        };
        self.run_both((ones, run_group), second);
    }

    /// Runs `run(kind, index)` for as many tasks of each kind, and returns when all are
    /// done.
    fn run(&mut self, tasks: [usize; KINDS], run: impl Fn(usize, usize) + Sync) {
        let count = tasks.iter().sum();
        // A task's place in a queue is half of a word.
        assert!(count < u32::MAX as usize, "tasks");
        if self.workers.is_empty() || count <= 1 {
            for (kind, tasks) in tasks.into_iter().enumerate() {
                (0..tasks).for_each(|index| run(kind, index));
            }
            return;
        }
        let shared = &*self.shared;
        let run: &(dyn Fn(usize, usize) + Sync) = &run;
        // SAFETY: only the lifetime changes. Nobody calls the function but for a
        // task, and below this waits until all tasks are done, also if one panics.
        let run: *const (dyn Fn(usize, usize) + Sync) = unsafe { std::mem::transmute(run) };
        let generation = shared.generation.load(Ordering::Relaxed).wrapping_add(1);
        let job = Job { generation, tasks, run };
        *lock(&shared.job) = job;
        shared.remaining.store(count, Ordering::Relaxed);
        for next in &shared.next {
            next.0.store(u64::from(generation) << 32, Ordering::Release);
        }
        shared.announce(generation);
        shared.run_tasks(job, 0);
        let mut waits = 0;
        while shared.remaining.load(Ordering::Acquire) > 0 {
            pause(waits);
            waits += 1;
        }
        if let Some(panic) = lock(&shared.panic).take() {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let generation = self.shared.generation.load(Ordering::Relaxed);
        self.shared.announce(generation.wrapping_add(1));
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its tasks, so it ends in peace.
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// Lets the workers see a new job, and wakes those that sleep.
    fn announce(&self, generation: u32) {
        self.generation.store(generation, Ordering::SeqCst);
        if *lock(&self.sleepers) > 0 {
            self.wake.notify_all();
        }
    }

    /// A worker's life: a job, then the next.
    fn work(&self, number: usize) {
        let mut seen = 0;
        loop {
            seen = self.wait_for_job(seen);
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let job = *lock(&self.job);
            self.run_tasks(job, number);
        }
    }

    /// Waits until the generation is another one than `seen`, and returns it.
    fn wait_for_job(&self, seen: u32) -> u32 {
        for waits in 0..SPINS + YIELDS {
            let generation = self.generation.load(Ordering::Acquire);
            if generation != seen {
                return generation;
            }
            pause(waits);
        }
        let mut sleepers = lock(&self.sleepers);
        *sleepers += 1;
        // A job that came before the lock is seen here; one that comes after it
        // finds the sleeper counted.
        while self.generation.load(Ordering::SeqCst) == seen {
            sleepers = self.wake.wait(sleepers).unwrap_or_else(PoisonError::into_inner);
        }
        *sleepers -= 1;
        self.generation.load(Ordering::SeqCst)
    }

    /// Runs thread `number`'s queue of tasks, then what is left of the others'.
    fn run_tasks(&self, job: Job, number: usize) {
        let mut done = 0;
        for owner in (number..self.threads).chain(0..number) {
            let queues = job.tasks.map(|tasks| share(tasks, self.threads, owner));
            let count = queues.iter().map(Range::len).sum();
            while let Some(mut place) = self.take(job, owner, count) {
                let mut kind = 0;
                while place >= queues[kind].len() {
                    place -= queues[kind].len();
                    kind += 1;
                }
                let index = queues[kind].start + place;
                // SAFETY: this task is not counted as done, so `Pool::run` still waits
                // and keeps the function alive.
                let run = unsafe { &*job.run };
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(kind, index))) {
                    lock(&self.panic).get_or_insert(panic);
                }
                done += 1;
            }
        }
        self.remaining.fetch_sub(done, Ordering::Release);
    }

    /// Takes the next place in a thread's queue of `count` tasks, if the job is still in
    /// hand.
    fn take(&self, job: Job, owner: usize, count: usize) -> Option<usize> {
        let next = &self.next[owner].0;
        let mut word = next.load(Ordering::Acquire);
        loop {
            let place = word & u64::from(u32::MAX);
            if word >> 32 != u64::from(job.generation) || place >= count as u64 {
                return None;
            }
            match next.compare_exchange_weak(word, word + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(place as usize),
                Err(now) => word = now,
            }
        }
    }
}

/// The tasks, or images, that fall to one of `shares`.
pub(crate) fn share(tasks: usize, shares: usize, number: usize) -> Range<usize> {
    tasks * number / shares..tasks * (number + 1) / shares
}

/// No tasks.
fn nothing<'a>() -> (&'a mut [()], impl Fn(usize, &mut ()) + Sync) {
    (&mut [], |_, ()| ())
}

/// Rows that tasks share: panel after panel, (rows, width) in each.
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) rows: usize,
    pub(crate) width: usize,
}

/// A task's rows of each panel.
pub(crate) struct RowsShare<'a> {
    values: &'a Items<f32>,
    len: usize,
    /// Floats of a panel, and which of them.
    panel: usize,
    share: Range<usize>,
}

impl RowsShare<'_> {
    /// Those of a panel.
    ///
    /// # Panics
    /// If there is no such panel.
    pub(crate) fn panel(&mut self, number: usize) -> &mut [f32] {
        let panels = self.len.checked_div(self.panel);
        assert!(panels.is_none_or(|panels| number < panels), "panel {number} of {panels:?}");
        let start = self.values.at(number * self.panel + self.share.start);
        // SAFETY: the share is within a panel, and the panel within the values, or there are no
        // rows; they stay borrowed until `Pool::run` returns, and no other task has the share.
        unsafe { std::slice::from_raw_parts_mut(start, self.share.len()) }
    }
}

/// The start of a slice of which each task gets another item.
struct Items<T>(*mut T);

// SAFETY: each thread gets items of its own, which `T: Send` allows.
unsafe impl<T: Send> Sync for Items<T> {}

impl<T> Items<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

/// Lets some time pass, and the core go where there were many pauses before.
fn pause(waits: usize) {
    if waits < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds a lock here can leave its value half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_on_any_number_of_threads() {
        for threads in 1..6 {
            let mut pool = Pool::new(threads);
            for tasks in [0, 1, 2, 3, 7, 64] {
                let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                pool.run([tasks, 0, 0], |_, task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn every_item_is_given_once() {
        let mut pool = Pool::new(3);
        let mut items: Vec<usize> = (0..50).collect();
        pool.run_each(&mut items, |index, item| *item = 2 * *item + index);
        assert!(items.iter().enumerate().all(|(index, &item)| item == 3 * index));
        // Three kinds, of which there may be as few as none.
        for counts in [[50, 7, 0], [1, 50, 9], [0, 3, 1], [3, 0, 3], [1, 1, 1], [0, 0, 2]] {
            let [mut ones, mut twos, mut threes] = counts.map(|count| vec![0; count]);
            let add = |index, item: &mut usize| *item += index + 1;
            pool.run_all((&mut ones, add), (&mut twos, add), (&mut threes, add));
            for items in [ones, twos, threes] {
                assert!(items.iter().copied().eq(1..=items.len()));
            }
        }
    }

    #[test]
    fn every_group_is_given_once() {
        let mut pool = Pool::new(3);
        for (groups, size) in [(2, 5), (7, 1), (1, 3), (4, 0), (0, 0)] {
            let (mut ones, mut others) = (vec![0; groups], vec![0; groups]);
            let (mut many, mut rest) = (vec![0; groups * size], vec![0; 6]);
            let groups = (&mut ones[..], &mut others[..], &mut many[..]);
            let add = |index, one: &mut usize, other: &mut usize, many: &mut [usize]| {
                *one += index + 1;
                *other += index + 2;
                assert_eq!(many.len(), size);
                many.iter_mut().for_each(|item| *item += index + 1);
            };
            pool.run_groups(groups, add, (&mut rest, |index, item: &mut usize| *item += index));
            assert!(ones.iter().copied().eq(1..=ones.len()));
            assert!(others.iter().copied().eq(2..ones.len() + 2));
            assert!(many.iter().copied().eq((0..many.len()).map(|item| item / size + 1)));
            assert!(rest.into_iter().eq(0..6));
        }
    }

    #[test]
    #[should_panic(expected = "as many for each pair")]
    fn there_is_no_group_without_its_share() {
        let second = (&mut [(); 0][..], |_, (): &mut ()| ());
        let groups = (&mut [(), ()][..], &mut [(), ()][..], &mut [0; 5][..]);
        Pool::new(1).run_groups(groups, |_, (), (), _| (), second);
    }

    #[test]
    fn every_pair_has_its_share_of_the_rows() {
        let (panels, width) = (3, 2);
        for (rows, threads) in [(10, 3), (2, 3), (0, 2), (7, 1)] {
            let mut pool = Pool::new(threads);
            let (mut ones, mut others) = (vec![0; threads], vec![1; threads]);
            let mut values = vec![0.0; panels * rows * width];
            let all = Rows { values: &mut values, rows, width };
            pool.run_pairs(&mut ones, &mut others, all, |index, one, other, mut share| {
                *one = *other + index;
                for panel in 0..panels {
                    share.panel(panel).iter_mut().for_each(|x| *x += (10 * panel + index) as f32);
                }
            });
            assert!(ones.iter().copied().eq(1..=threads));
            let owners = (0..threads).flat_map(|index| {
                std::iter::repeat_n(index, width * share(rows, threads, index).len())
            });
            let owner = |panel| owners.clone().map(move |index| (10 * panel + index) as f32);
            assert!(values.iter().copied().eq((0..panels).flat_map(owner)));
        }
    }

    #[test]
    #[should_panic(expected = "panel 2 of Some(2)")]
    fn there_are_no_rows_after_the_last_panel() {
        let all = Rows { values: &mut [0.0; 24], rows: 4, width: 3 };
        Pool::new(1).run_pairs(&mut [()], &mut [()], all, |_, (), (), mut share| {
            share.panel(2);
        });
    }

    #[test]
    fn many_jobs_follow_each_other() {
        let mut pool = Pool::new(3);
        let sum = AtomicUsize::new(0);
        let jobs = if cfg!(miri) { 20 } else { 2_000 };
        for job in 0..jobs {
            pool.run([3, 0, 0], |_, task| {
                sum.fetch_add(job * 3 + task, Ordering::Relaxed);
            });
            if job % (jobs / 4) == 0 {
                // Long enough for the workers to fall asleep.
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        assert_eq!(sum.load(Ordering::Relaxed), (0..3 * jobs).sum());
    }

    #[test]
    fn a_panic_of_a_task_comes_out_and_the_pool_lives_on() {
        let mut pool = Pool::new(3);
        for bad in 0..3 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                pool.run([3, 0, 0], |_, task| assert_ne!(task, bad, "the bad task"));
            }));
            let panic = result.expect_err("the panic of the task");
            let text = panic.downcast_ref::<String>().expect("a message");
            assert!(text.contains("the bad task"), "{text}");
        }
        let count = AtomicUsize::new(0);
        pool.run([3, 0, 0], |_, _| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_panic_on_another_thread_comes_out_too() {
        let mut pool = Pool::new(3);
        let caller = std::thread::current().id();
        // Each thread has one task, as none ends before all have begun.
        let threads = pool.workers.len() + 1;
        let all_began = std::sync::Barrier::new(threads);
        let result = catch_unwind(AssertUnwindSafe(|| {
            pool.run([threads, 0, 0], |_, _| {
                all_began.wait();
                assert_eq!(std::thread::current().id(), caller, "another thread");
            });
        }));
        let panic = result.expect_err("the panic of a worker");
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("another thread")));
    }
}
