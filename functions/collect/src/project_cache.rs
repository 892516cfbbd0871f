//! What an instance remembers of projects for a while, so that a warm one reads nothing before it writes.

use std::ops::Range;

use figures::ids::ProjectId;
use figures::time::Millis;
use shared::cache::Cache;

/// The most projects that are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// Values of projects, each good for some time. A clock that steps back behind its beginning ends it too.
pub struct ProjectCache<V>(Cache<ProjectId, (V, Range<Millis>)>);

impl<V: Clone> Default for ProjectCache<V> {
    fn default() -> Self {
        ProjectCache(Cache::new(MAX_REMEMBERED))
    }
}

impl<V: Clone> ProjectCache<V> {
    /// A project's value, if it is still good at the beginning of some time; else it is loaded, and remembered for that time.
    pub async fn get_or_load<E>(
        &self,
        project: &ProjectId,
        good: Range<Millis>,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        if let Some(value) = self.get(project, good.start) {
            return Ok(value);
        }
        let value = load.await?;
        self.put(project, value.clone(), good);
        Ok(value)
    }

    /// A project's value, if it is still good.
    fn get(&self, project: &ProjectId, now: Millis) -> Option<V> {
        self.0.get(project).filter(|(_, good)| good.contains(&now)).map(|(value, _)| value)
    }

    /// Remembers a project's value for some time.
    fn put(&self, project: &ProjectId, value: V, good: Range<Millis>) {
        self.0.insert(project.clone(), (value, good));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_forgotten_at_its_end_and_is_its_projects_alone() {
        let (Ok(one), Ok(other)) = ("one".parse(), "other".parse()) else { panic!("legal identifiers") };
        let cache = ProjectCache::default();
        cache.put(&one, 'a', Millis(0)..Millis(10));
        assert_eq!(cache.get(&one, Millis(9)), Some('a'));
        assert_eq!(cache.get(&one, Millis(10)), None);
        assert_eq!(cache.get(&other, Millis(9)), None);
    }

    #[test]
    fn a_value_of_a_clock_that_steps_back_is_forgotten() {
        let Ok(project) = "one".parse() else { panic!("a legal identifier") };
        let cache = ProjectCache::default();
        cache.put(&project, 'a', Millis(1_000)..Millis(2_000));
        assert_eq!(cache.get(&project, Millis(1_000)), Some('a'));
        assert_eq!(cache.get(&project, Millis(999)), None);
    }
}
