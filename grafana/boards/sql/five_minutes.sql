greatest(INTERVAL '5 minutes', INTERVAL '$__interval')
