import { mount } from 'svelte';
import './app.css';
import App from './App.svelte';
import { theme } from '$lib/frame/theme.svelte';

theme.apply();
const target = document.getElementById('app');
if (target) mount(App, { target });
