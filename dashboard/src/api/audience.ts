// The answer of `/audience`, until docs/openapi.json describes it.

interface Counts {
  visitors: number;
  sessions: number;
}

export interface Audience {
  countries: (Counts & { country_code: string | null; country: string | null })[];
  cities: (Counts & { city: string | null; country_code: string | null })[];
  browsers: (Counts & { browser: string | null })[];
  systems: (Counts & { os: string | null })[];
  devices: (Counts & { device: string | null })[];
  languages: (Counts & { language: string | null })[];
  screens: (Counts & { screen: string | null })[];
}

export interface AudiencePaths {
  '/api/v1/audience': {
    get: {
      parameters: { query?: { start_date?: string; end_date?: string; limit?: number } };
      responses: { 200: { headers: Record<string, string>; content: { 'application/json': { data: Audience } } } };
    };
  };
}
