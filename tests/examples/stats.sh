curl -s -H "Authorization: Bearer $IDENTITY_API_KEY" \
  "https://www.identity-js.com/api/v1/stats?start_date=2025-06-01" | jq .
